"""Any identified effect of discrete variables: the formula itself, evaluated on the observed frequencies.

The formula is a smooth function of the frequencies, so that the influence of a row is the derivative by the
frequency of its cell (the infinitesimal jackknife; Efron 1982, "The jackknife, the bootstrap and other
resampling plans", section 6).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from equipoise.causal.effects.design import Design
from equipoise.causal.effects.methods.fitted import Fitted
from equipoise.causal.identification import Estimand
from equipoise.errors import DataError
from equipoise.statistics.interval import Estimate, Floats

_MOST_CELLS = 1000
_STEP = 1e-5


def formula(design: Design, estimand: Estimand) -> Fitted:
    """Mean outcome under treatment minus mean outcome without, both by the estimand's formula."""
    names = [design.treatment_name, design.outcome_name]
    names += sorted(estimand.expression.mentioned - set(names))
    rows = design.frame.with_columns(
        pl.Series(design.treatment_name, design.treatment.astype(np.int64)),
        pl.Series(design.outcome_name, design.outcome),
    ).select(names)
    cells = rows.group_by(names).len("n").sort(names)
    if len(cells) > _MOST_CELLS:
        return Fitted(
            "ate",
            refusal=f"By the graph the effect is {estimand.formula}, which is estimated for discrete variables only: "
            f"the data hold {len(cells)} combinations of {', '.join(names)} (at most {_MOST_CELLS})",
        )
    of_row = rows.join(cells.with_row_index("cell"), on=names, how="left", maintain_order="left")[
        "cell"
    ].to_numpy()
    share = cells["n"].to_numpy() / len(rows)
    outcomes = [float(value) for value in cells[design.outcome_name].unique().sort()]

    def effect(p: Floats) -> float:
        joint = cells.select(names).with_columns(pl.Series("p", p))
        return sum(
            sign
            * value
            * estimand.evaluate(joint, {design.outcome_name: value}, {design.treatment_name: arm})
            for arm, sign in ((1, 1.0), (0, -1.0))
            for value in outcomes
            if value
        )

    try:
        value = effect(share)
    except DataError as error:
        return Fitted("ate", refusal=f"No overlap: {error.what}")
    slope = np.empty(len(share))
    for cell in range(len(share)):
        moved = share * (1 - _STEP)
        moved[cell] += _STEP
        slope[cell] = (effect(moved) - value) / _STEP
    return Fitted(
        "ate",
        Estimate(value, slope[of_row], design.clusters),
        details={"cells": len(cells), "formula": estimand.formula},
    )
