"""What all attempts together say of an estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from equipoise.causal.effects import Effect
from equipoise.causal.refutation.finding import FAILED, NOT_RUN, Finding

SUPPORTED, FRAGILE, NOT_CREDIBLE, REFUSED = "supported", "fragile", "not credible", "refused"

CAVEAT = (
    "A passed check never proves identification: no check sees a hidden cause that no negative control shares. "
    "Sensitivity says how strong it would have to be, never that it is not there."
)

_ATTEMPTS = ("permutation_placebo", "random_common_cause", "subset_stability", "dummy_outcome")
_FEWEST_ATTEMPTS = 3
_SMALLEST_E_VALUE = 1.2
_SMALLEST_MULTIPLE = 0.5

_SENTENCES = {
    SUPPORTED: "The estimate withstood every attempt to refute it.",
    FRAGILE: "The estimate was not refuted, but little would be needed to overturn it.",
    NOT_CREDIBLE: "The estimate should not be believed.",
    REFUSED: "The data do not allow an estimate.",
}


def verdict(effect: Effect, findings: Sequence[Finding], sensitivity: dict[str, Any]) -> dict[str, Any]:
    """The card's field: code, sentence, and reasons as codes and in words.

    `not credible` where a negative control fails, intervals miss the truth on placebos, or a placebo or a dummy
    outcome shows a bias of over half a standard error; `fragile` where a check fails otherwise, the interval
    holds 0 or is in doubt, an E-value of 1.2 or a hidden cause half as strong as an observed covariate would
    explain it, a negative control that was named could not be asked, or fewer than three of the four attempts that
    estimate again could be made; else `supported`.
    """
    if effect.value is None:
        return _said(REFUSED, [("refused", effect.reason or "There is no estimate")])
    grave = [(one.name, one.says) for one in findings if one.status == FAILED and one.grave]
    if grave:
        return _said(NOT_CREDIBLE, grave)
    weak = [(one.name, one.says) for one in findings if one.status == FAILED]
    if effect.low is not None and effect.high is not None and effect.low <= 0 <= effect.high:
        weak.append(("holds_zero", "The interval holds 0: the sign of the effect is not known"))
    if not effect.interval_reliable:
        weak.append(("interval", effect.reason or "The interval may not cover as often as it says"))
    weak.extend(_easily_explained(sensitivity))
    weak.extend(_unasked(findings))
    if weak:
        return _said(FRAGILE, weak)
    reasons = [("withstood", f"{sum(one.status != NOT_RUN for one in findings)} checks were run and passed")]
    if not any(map(_of_a_control, findings)):
        reasons.append(
            ("no_negative_control", "No negative control was named, so hidden confounding was not looked for")
        )
    return _said(SUPPORTED, reasons)


def _of_a_control(finding: Finding) -> bool:
    """Whether it is about a negative control that was named."""
    return finding.name.startswith("negative_control") and "column" in finding.details


def _unasked(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    """What should have been tried and could not be."""
    found = [(one.name, one.says) for one in findings if one.status == NOT_RUN and _of_a_control(one)]
    made = [one.name for one in findings if one.name in _ATTEMPTS and one.status != NOT_RUN]
    if len(made) < _FEWEST_ATTEMPTS:
        found.append(
            (
                "few_attempts",
                f"Only {len(made)} of {len(_ATTEMPTS)} attempts to refute it could be made "
                f"(at least {_FEWEST_ATTEMPTS} are needed)",
            )
        )
    return found


def _easily_explained(sensitivity: dict[str, Any]) -> list[tuple[str, str]]:
    """Reasons to think that little hidden confounding would be enough."""
    found: list[tuple[str, str]] = []
    ratio, omitted = sensitivity["e_value"], sensitivity["partial_r2"]
    if ratio is not None and ratio["limit"] is not None and 1 < ratio["limit"] < _SMALLEST_E_VALUE:
        found.append(
            (
                "e_value",
                f"A hidden cause with risk ratios of {ratio['limit']:.2f} with treatment and outcome would explain it",
            )
        )
    within = [one for one in (omitted or {"benchmarks": ()})["benchmarks"] if one["times"] is not None]
    if within and (least := min(within, key=lambda one: one["times"]))["times"] < _SMALLEST_MULTIPLE:
        found.append(
            (
                "benchmark",
                f"A hidden cause {least['times']:.2f} times as strong as '{least['covariate']}' would bring the "
                "estimate to 0",
            )
        )
    return found


def _said(code: str, reasons: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "code": code,
        "sentence": _SENTENCES[code],
        "because": [words for _, words in reasons],
        "codes": [name for name, _ in reasons],
    }
