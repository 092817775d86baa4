"""Results become pages that a person reads: self-contained HTML, in English or Chinese."""

from equipoise.report.audit import render_audit, render_summary
from equipoise.report.causal import render_card, render_gate, render_graph, render_plan, render_policy_value
from equipoise.report.debias import render_debias
from equipoise.report.page import render
from equipoise.report.results import Recommended, RunReport, Sample

__all__ = [
    "Recommended",
    "RunReport",
    "Sample",
    "render",
    "render_audit",
    "render_card",
    "render_debias",
    "render_gate",
    "render_graph",
    "render_plan",
    "render_policy_value",
    "render_summary",
]
