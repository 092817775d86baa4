"""Variational autoencoders over profiles."""
