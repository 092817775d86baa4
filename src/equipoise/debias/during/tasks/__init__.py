"""Labels that a model learns beside its own task, and the heads that read them."""
