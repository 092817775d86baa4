"""Rows of quality and speed: cached, resumable, each writing its own lines of `RESULTS.md`."""
