"""All rows by name: every module of `rows` brings its own."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from benchmarks import rows
from benchmarks.row import Row

ROWS: dict[str, Row] = {
    row.name: row
    for module in sorted(found.name for found in iter_modules(rows.__path__))
    for row in import_module(f"{rows.__name__}.{module}").ROWS
}
