"""Causal inference on frames and arrays: what would have happened under another action."""
