"""The evidence of an audit becomes two pages: a report that opens offline, and a summary of one sheet to sign."""

from equipoise.report.audit.page import render_audit
from equipoise.report.audit.summary import render_summary

__all__ = ["render_audit", "render_summary"]
