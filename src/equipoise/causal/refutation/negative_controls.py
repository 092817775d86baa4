"""Negative controls: the same design where the effect must be 0, as an eye for what was not adjusted for.

Source: Lipsitch, Tchetgen Tchetgen and Cohen (2010), "Negative controls: a tool for detecting confounding and
bias in observational studies", Epidemiology 21.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from equipoise.causal.effects import Design, Effect
from equipoise.causal.effects.reading import named, read_design
from equipoise.causal.refutation.finding import FAILED, NOT_RUN, PASSED, Finding
from equipoise.data.frames import require
from equipoise.errors import DataError
from equipoise.statistics import holm

OUTCOMES, EXPOSURES = "outcomes", "exposures"

_MEANING = {
    OUTCOMES: "Something not adjusted for moves both treatment and outcome. Do not act on the estimate; the size here "
    "tells how far it may be off.",
    EXPOSURES: "Something not adjusted for goes along with exposures and moves the outcome. Do not act on "
    "the estimate.",
}
_OF_ONE_TREATMENT = ("iv", "frontdoor", "mediation", "formula")
_NAMES = {OUTCOMES: "negative_control_outcome", EXPOSURES: "negative_control_exposure"}


def negative_controls(
    effect: Effect,
    controls: Mapping[str, Sequence[str] | str] | Sequence[str] | str | None,
    alpha: float = 0.05,
) -> list[Finding]:
    """Estimate the effect on outcomes, and of exposures, that can have none.

    A control outcome shares the hidden causes of the outcome but cannot be moved by the treatment (what was
    bought the week before); a control exposure shares those of the treatment but cannot move the outcome, and is
    estimated given the treatment. Fails where a p-value, adjusted by Holm for the number of controls, is below
    alpha.

    Args:
        effect: An effect that was not refused.
        controls: Columns of its data: an outcome, a list of outcomes, or a mapping with `outcomes` and `exposures`.
        alpha: Level of the test.

    Returns:
        One finding per control, or one per kind that says that none was named.

    Raises:
        DataError: if a column is missing, is the treatment, the outcome or used to tell the effect, or a kind is
            unknown; or if exposures are named where the method's formula is of one treatment only.
    """
    by_kind = controls if isinstance(controls, Mapping) else {OUTCOMES: controls}
    if unknown := [kind for kind in by_kind if kind not in _NAMES]:
        raise DataError(f"'{unknown[0]}' is no kind of negative control", todo="Known: outcomes, exposures.")
    asked = {kind: named(by_kind.get(kind)) for kind in _NAMES}
    design = effect.design
    for column in [*asked[OUTCOMES], *asked[EXPOSURES]]:
        require(design.frame.columns, column, table="data of the effect")
        if column in _asked_about(effect):
            raise DataError(
                f"'{column}' is part of the question, so it can be no negative control",
                todo="Name a column that is neither treatment, outcome nor used to tell the effect.",
            )
    if asked[EXPOSURES] and effect.method in _OF_ONE_TREATMENT:
        raise DataError(
            f"The method '{effect.method}' cannot be asked about another exposure",
            todo="Name control outcomes instead.",
        )
    answers = [
        (kind, column, effect.again(_control(design, kind, column)))
        for kind, columns in asked.items()
        for column in columns
    ]
    tested = [answer.p_value for _, _, answer in answers if answer.p_value is not None]
    adjusted = iter(holm(tested)) if tested else iter(())
    findings = [
        _found(kind, column, answer, float(next(adjusted)) if answer.p_value is not None else None, alpha)
        for kind, column, answer in answers
    ]
    missing = [kind for kind, columns in asked.items() if not columns]
    return findings + [
        Finding(_NAMES[kind], NOT_RUN, f"No negative control among {kind} was named", _MEANING[kind])
        for kind in missing
    ]


def _asked_about(effect: Effect) -> set[str]:
    """Columns of the question."""
    design, known = effect.design, effect.identification
    asked = {design.treatment_name, design.outcome_name, *design.sources, *design.mediator_sources}
    if design.instrument_name is not None:
        asked.add(design.instrument_name)
    if effect.method == "formula" and known is not None and known.estimand is not None:
        asked |= known.estimand.expression.mentioned
    return asked


def _control(design: Design, kind: str, column: str) -> Design:
    """The design with a control in the place of outcome or treatment."""
    frame = design.frame
    treatment, outcome = design.treatment_name, design.outcome_name
    if kind == OUTCOMES:
        values = _numbers(frame[column])
        return design.with_outcome(values, column)
    swapped = read_design(
        frame,
        column,
        outcome,
        [*design.sources, treatment],
        design.cluster_name,
        continuous=design.continuous,
    )
    if swapped.n != design.n:
        raise DataError(
            f"The negative control '{column}' is missing in some rows",
            where=f"{design.n - swapped.n} of {design.n} rows",
            todo="Leave these rows out of the whole question.",
        )
    return swapped


def _numbers(values: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        raise DataError(
            f"The negative control '{values.name}' holds {values.dtype}, not numbers or true and false"
        )
    if values.null_count():
        raise DataError(
            f"The negative control '{values.name}' is missing in some rows",
            where=f"{values.null_count()} of {len(values)} rows",
            todo="Leave these rows out of the whole question.",
        )
    return values.cast(pl.Float64).to_numpy()


def _found(kind: str, column: str, answer: Effect, p_value: float | None, alpha: float) -> Finding:
    if answer.value is None or p_value is None:
        says = f"'{column}' allows no estimate: {answer.reason}"
        return Finding(_NAMES[kind], NOT_RUN, says, _MEANING[kind], details={"column": column})
    failed = p_value < alpha
    subject = f"on '{column}'" if kind == OUTCOMES else f"of '{column}'"
    ends = f"{answer.value:+.4g} [{answer.low:+.4g}, {answer.high:+.4g}]"
    says = (
        f"The effect {subject} must be 0 and is {ends}"
        if failed
        else f"The effect {subject}, which must be 0, is {ends}"
    )
    return Finding(
        _NAMES[kind],
        FAILED if failed else PASSED,
        says,
        _MEANING[kind],
        answer.value,
        answer.low,
        answer.high,
        p_value,
        0.0,
        {"column": column},
        grave=failed,
    )
