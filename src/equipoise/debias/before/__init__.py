"""Corrections that change what a model is trained on: sampling, weights of groups, purification."""
