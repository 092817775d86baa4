"""The language model of a ranker learns to put candidates in order, from what people chose next in training."""
