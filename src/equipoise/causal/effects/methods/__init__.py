"""One module per estimator; each is a function of a design and settings."""
