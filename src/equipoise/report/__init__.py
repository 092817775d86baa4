"""Results become pages that a person reads: self-contained HTML, in English or Chinese."""

from equipoise.report.audit import render_audit, render_summary
from equipoise.report.page import render
from equipoise.report.results import Recommended, RunReport, Sample

__all__ = ["Recommended", "RunReport", "Sample", "render", "render_audit", "render_summary"]
