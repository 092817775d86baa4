"""Corrections of the lists that a model makes, and of its probabilities."""
