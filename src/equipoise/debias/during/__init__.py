"""Corrections that change how a model is trained: weights, losses, heads, offsets."""
