"""Results become one page that a person reads: self-contained HTML, in English or Chinese."""

from equipoise.report.page import render
from equipoise.report.results import Recommended, RunReport, Sample

__all__ = ["Recommended", "RunReport", "Sample", "render"]
