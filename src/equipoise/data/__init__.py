"""Events, users, items: read, check, clean, split. The noun that leaves is `Dataset`."""

from equipoise.data.dataset import Dataset, to_polars

__all__ = ["Dataset", "to_polars"]
