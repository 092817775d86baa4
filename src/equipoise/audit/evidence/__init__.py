"""The evidence of an audit: every number with its interval, as plain data from which pages are made."""

from equipoise.audit.evidence.assemble import assemble

__all__ = ["assemble"]
