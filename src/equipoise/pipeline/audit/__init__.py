"""The journey of an audit: find the tables, read them, measure, sign, write; and check it all again later."""

from equipoise.pipeline.audit.inputs import Inputs, Named
from equipoise.pipeline.audit.journey import Audit, audit, verify

__all__ = ["Audit", "Inputs", "Named", "audit", "verify"]
