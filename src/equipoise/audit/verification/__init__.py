"""Does the evidence still hold? Signature, inputs, every number computed again."""

from equipoise.audit.verification.verify import SCHEMA, Number, Verification, read_evidence, verify

__all__ = ["SCHEMA", "Number", "Verification", "read_evidence", "verify"]
