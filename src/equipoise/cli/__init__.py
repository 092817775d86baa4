"""The command line: `equipoise run`, `equipoise data ...`, `equipoise init`, `equipoise tune`, `equipoise doctor`."""

from equipoise.cli.app import main

__all__ = ["main"]
