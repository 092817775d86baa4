"""The command line: `equipoise run`, `audit`, `data ...`, `init`, `tune`, `doctor`."""

from equipoise.cli.app import main

__all__ = ["main"]
