"""Does the evidence still hold? Signature, inputs, every number computed again."""

from equipoise.audit.verification.evidence import SCHEMA, read_evidence
from equipoise.audit.verification.verify import Number, Verification, verify

__all__ = ["SCHEMA", "Number", "Verification", "read_evidence", "verify"]
