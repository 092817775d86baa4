"""What may be said of each correction, and what to pick: by validation alone, so that test numbers stay untouched."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from equipoise.pipeline.debias.front import Leak, less_leaky
from equipoise.pipeline.debias.sample import LOWER_IS_BETTER, Sample
from equipoise.pipeline.debias.systems import BASE

CARES: Final = ("accuracy", "bias", "gap", "leakage")
"""What somebody may care for, in the order in which it is told."""
BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"

Finding = dict[str, Any]


def findings(
    sample: Sample, accuracy: str, leakage: Mapping[str, Leak | None], tested: Sequence[str]
) -> dict[str, list[Finding]]:
    """What each correction changed on validation, against the base.

    Better or worse is what has its whole interval on one side and a p-value, adjusted after Holm over all
    corrections, within the level; of leakage, intervals that do not meet.

    Args:
        sample: All rows on the validation users, the base first.
        accuracy: Which measure stands for accuracy.
        leakage: Row to what the strongest attacker reaches.
        tested: The corrections.

    Returns:
        Row to findings, each with `care`, `code`, `measure`, `before`, `after`, `difference`, `low`, `high`,
        `p_adjusted`.
    """
    differences = sample.differences(tested)
    alpha = 1 - sample.ground.config.audit.level
    found: dict[str, list[Finding]] = {}
    for name in tested:
        row, told = sample.names.index(name), list[Finding]()
        for care, measure in (("accuracy", accuracy), ("error", "mse"), ("bias", "bias"), ("gap", "gap")):
            if measure in differences[name]:
                change = differences[name][measure]
                values = sample.values[measure]
                told.append({
                    "care": care, "code": _code(measure, change, alpha), "measure": measure,
                    "before": float(values[0]), "after": float(values[row]), **change,
                })  # fmt: skip
        before, after = leakage.get(BASE), leakage.get(name)
        if before is not None and after is not None:
            told.append(_leak(before, after))
        found[name] = told
    return found


def recommendation(found: Mapping[str, Sequence[Finding]], cares: Sequence[str]) -> dict[str, Any]:
    """What to pick for each care, and in all.

    For a care, of the corrections that clearly better it: those that clearly lose no accuracy first, and of these
    the one that betters it most. In all, the correction that is clearly better in most respects and clearly worse in
    none. Where there is none, the base.

    Returns:
        `overall` (`pick`, `code`: "pick", "mixed" where each correction that betters something worsens something
        else, or "keep" where none betters anything; `cares`: what it betters) and `by_care`: one entry per care, with
        `care`, `pick`, `code` ("pick", "cost" where accuracy is clearly lost, "keep"), `finding` and `accuracy`, the
        findings that say so.
    """
    told = {name: {one["care"]: one for one in many} for name, many in found.items()}
    by_care = list[dict[str, Any]]()
    for care in (care for care in cares if care in CARES):
        able = [name for name, by in told.items() if care in by and by[care]["code"] == BETTER]
        free = [name for name in able if told[name]["accuracy"]["code"] != WORSE]
        if not able:
            by_care.append(
                {"care": care, "pick": BASE, "code": "keep", "finding": None, "accuracy": None, "others": []}
            )
            continue
        pick = max(free or able, key=lambda name: abs(told[name][care]["difference"]))
        by_care.append({
            "care": care, "pick": pick, "code": "pick" if free else "cost", "finding": told[pick][care],
            "accuracy": told[pick]["accuracy"],
            "others": [
                {"name": name, "after": told[name][care]["after"]}
                for name in sorted(able, key=lambda name: -abs(told[name][care]["difference"]))
                if name != pick
            ],
        })  # fmt: skip
    good = {name: [care for care, one in by.items() if one["code"] == BETTER] for name, by in told.items()}
    harmless = [
        name for name, by in told.items() if good[name] and all(one["code"] != WORSE for one in by.values())
    ]
    if not harmless:
        code = "mixed" if any(good.values()) else "keep"
        return {"overall": {"pick": BASE, "code": code, "cares": []}, "by_care": by_care}
    best = max(harmless, key=lambda name: (len(good[name]), told[name]["accuracy"]["after"]))
    return {"overall": {"pick": best, "code": "pick", "cares": good[best]}, "by_care": by_care}


def _code(measure: str, change: Mapping[str, float | None], alpha: float) -> str:
    low, high, p = change["low"], change["high"], change["p_adjusted"]
    if low is None or high is None or p is None or p > alpha or low <= 0 <= high:
        return UNCLEAR
    return BETTER if (high < 0) == (measure in LOWER_IS_BETTER) else WORSE


def _leak(before: Leak, after: Leak) -> Finding:
    code = BETTER if less_leaky(after, before) else WORSE if less_leaky(before, after) else UNCLEAR
    return {
        "care": "leakage", "code": code, "measure": "leakage", "before": before["value"], "after": after["value"],
        "difference": after["value"] - before["value"], "low": None, "high": None, "p_value": None,
        "p_adjusted": None,
    }  # fmt: skip
