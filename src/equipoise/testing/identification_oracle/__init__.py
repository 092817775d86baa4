"""An oracle for identification: random models whose effects are known, and judges of what is refused.

Whatever `equipoise.causal.identification` answers can be held against it::

    from equipoise.testing.identification_oracle import examine

    finding = examine(seed=7)
    assert finding.error <= 1e-9 and not finding.faults
"""

from equipoise.testing.identification_oracle.classics import CLASSICS, Classic
from equipoise.testing.identification_oracle.examination import Finding, Question, examine, judge, random_case
from equipoise.testing.identification_oracle.hedges import hedge_faults
from equipoise.testing.identification_oracle.models import BinaryModel, random_model
from equipoise.testing.identification_oracle.witnesses import Witness, witness

__all__ = [
    "CLASSICS",
    "BinaryModel",
    "Classic",
    "Finding",
    "Question",
    "Witness",
    "examine",
    "hedge_faults",
    "judge",
    "random_case",
    "random_model",
    "witness",
]
