"""One module per kind of row; each registers what it measures."""
