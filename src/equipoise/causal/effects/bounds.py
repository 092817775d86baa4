"""What the data allow where the assumptions of an estimate cannot be upheld."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import linprog

from equipoise.causal.effects.design import BINARY, Design

_SAMPLING = "sampling error is not counted"


@dataclass(frozen=True)
class Bounds:
    """The effects that fit the data.

    Attributes:
        low: Smallest effect that fits the data.
        high: Largest effect that fits the data.
        assumption: What the bounds do rest on, in words.
    """

    low: float
    high: float
    assumption: str


def bounds(design: Design, estimand: str) -> Bounds | None:
    """The narrowest bounds that are known of the effect on everybody or on the treated; None for a continuous
    treatment, and for effects of other kinds (`ato`, `late`, `nde`, `nie`), which bounds of these two do not bound.
    """
    if estimand not in ("ate", "att"):
        return None
    return instrument_bounds(design, estimand) or no_assumption_bounds(design, estimand)


def no_assumption_bounds(design: Design, estimand: str) -> Bounds | None:
    """Bounds of the effect when every outcome that was not seen may be anything in the outcome's range.

    Source: Manski (1990), "Nonparametric bounds on treatment effects". None for a continuous treatment.
    """
    if design.continuous:
        return None
    t, y = design.treatment, design.outcome
    if design.outcome_kind == BINARY:
        least, most, said = 0.0, 1.0, "the outcome is 0 or 1"
    else:
        least, most = float(y.min()), float(y.max())
        said = f"no outcome lies beyond those seen, {least:g} to {most:g}"
    said += f"; nothing is assumed about who was treated; {_SAMPLING}"
    share = float(t.mean())
    treated, untreated = float(y[t == 1].mean()), float(y[t == 0].mean())
    if estimand == "att":
        return Bounds(treated - most, treated - least, said)
    seen = share * treated - (1 - share) * untreated
    return Bounds(seen + (1 - share) * least - share * most, seen + (1 - share) * most - share * least, said)


def instrument_bounds(design: Design, estimand: str = "ate") -> Bounds | None:
    """Sharp bounds of the average effect from a binary instrument, treatment and outcome.

    Every unit has one of 4 x 4 types: what it would do under each value of the instrument, and what would
    come of it under each treatment. The bounds are the extremes of the effect over all mixtures of types that
    give the observed frequencies: a linear program. Source: Balke and Pearl (1997), "Bounds on treatment
    effects from studies with imperfect compliance". None where anything is not binary, something is adjusted for
    (these bounds are for an instrument that needs no covariates), or the frequencies fit no mixture (the
    instrument is none, or the sample is small).
    """
    z, t, y = design.instrument, design.treatment, design.outcome
    if (
        z is None
        or estimand != "ate"
        or design.covariates.shape[1]
        or design.continuous
        or design.outcome_kind != BINARY
        or len(np.unique(z)) != 2
    ):
        return None
    assigned = z == z.max()
    types = list(product(product((0, 1), repeat=2), product((0, 1), repeat=2)))  # (t at z, y at t)
    rows, seen = [], []
    for at, arm, result in product((0, 1), repeat=3):
        rows.append([float(takes[at] == arm and gives[arm] == result) for takes, gives in types])
        inside = assigned == at
        seen.append(float(((t[inside] == arm) & (y[inside] == result)).mean()))
    effect = np.array([float(gives[1] - gives[0]) for _, gives in types])
    ends = [linprog(sign * effect, A_eq=rows, b_eq=seen, bounds=(0, 1)) for sign in (1, -1)]
    if not all(end.success for end in ends):
        return None
    said = f"'{design.instrument_name}' acts on the outcome through the treatment alone and shares no cause with it"
    return Bounds(float(ends[0].fun), float(-ends[1].fun), f"{said}; {_SAMPLING}")
