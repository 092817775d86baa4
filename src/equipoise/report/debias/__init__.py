"""Corrections side by side, as a page."""

from equipoise.report.debias.page import render_debias

__all__ = ["render_debias"]
