"""What items are besides texts: images and quantities become vectors. What is not there stays absent."""
