"""What may be said of each correction, and what to pick: by the truth where the data is a generated world, else by
validation alone. Test numbers praise nothing; they can only take a recommendation back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from equipoise.pipeline.debias.front import Leak, less_leaky
from equipoise.pipeline.debias.sample import LOWER_IS_BETTER, Sample
from equipoise.pipeline.debias.systems import BASE

CARES: Final = ("accuracy", "bias", "gap", "leakage")
"""What somebody may care for, in the order in which it is told."""
BETTER, WORSE, UNCLEAR = "better", "worse", "unclear"
LEAST = 0.05
"""Share of the base's value under which a clear change is told as small, and is no reason to change."""

Finding = dict[str, Any]


def findings(
    sample: Sample,
    accuracy: str,
    leakage: Mapping[str, Leak | None],
    tested: Sequence[str],
    bias: str = "bias",
) -> dict[str, list[Finding]]:
    """What each correction changed, against the base.

    Better is what has its whole interval on the good side and a p-value, adjusted after Holm over all corrections,
    within the level. Worse is what has its whole interval on the bad side: harm is not excused by the number of
    corrections that were tried. Of leakage, intervals that do not meet.

    Args:
        sample: All rows on the same users, the base first.
        accuracy: Which measure stands for accuracy.
        leakage: Row to what the strongest attacker reaches.
        tested: The corrections.
        bias: Which measure stands for popularity bias.

    Returns:
        Row to findings, each with `care`, `code`, `measure`, `before`, `after`, `difference`, `low`, `high`,
        `p_adjusted`, `share`, the size of the difference as a share of the base's value (of its distance from
        chance, for leakage; None where that is 0), and whether that is `small`.
    """
    differences = sample.differences(tested)
    alpha = 1 - sample.ground.config.audit.level
    found: dict[str, list[Finding]] = {}
    for name in tested:
        row, told = sample.names.index(name), list[Finding]()
        for care, measure in (("accuracy", accuracy), ("error", "mse"), ("bias", bias), ("gap", "gap")):
            if measure in differences[name]:
                change = differences[name][measure]
                before, after = (float(sample.values[measure][place]) for place in (0, row))
                told.append({
                    "care": care, "code": _code(measure, change, alpha), "measure": measure, "before": before,
                    "after": after, **change, **_share(after - before, before),
                })  # fmt: skip
        first, second = leakage.get(BASE), leakage.get(name)
        if first is not None and second is not None:
            told.append(_leak(first, second))
        found[name] = told
    return found


def recommendation(
    found: Mapping[str, Sequence[Finding]], cares: Sequence[str], beaten: Collection[str] = ()
) -> dict[str, Any]:
    """What to pick for each care, and in all.

    For a care, of the corrections that clearly better it: those that clearly lose no accuracy first, and of these
    the one that betters it most. In all, of the corrections that better something by more than a little, clearly
    worsen nothing and are beaten by none: the one that is clearly better in most respects, then the one whose
    betterments are together the largest shares of the base's values. Where there is none, the base.

    Args:
        found: What `findings` gives.
        cares: What is measured.
        beaten: Rows that another one beats.

    Returns:
        `overall` (`pick`, `code`: "pick", "mixed" where each correction that betters something worsens something
        else or is beaten, "small" where betterments are all small, or "keep" where there is none; `cares`: what the
        pick betters) and `by_care`: one entry per care, with `care`, `pick`, `code` ("pick", "cost" where accuracy is
        clearly lost, "keep"), `finding` and `accuracy`, the findings that say so, and `others`, what betters it too,
        with `name`, `after` and `accuracy`.
    """
    told = {name: {one["care"]: one for one in many} for name, many in found.items()}
    return {
        "overall": _overall(told, beaten),
        "by_care": [_for_care(care, told) for care in cares if care in CARES],
    }


def uncalibrated(row: Mapping[str, Any], base: Mapping[str, Any]) -> list[Finding]:
    """Of a correction that is made for calibration, what became of the calibration error on test, which has no
    interval: worse where it grew, and never better.
    """
    before, after = base["ece"], row["ece"]
    if "calibration" not in row["against"] or before is None or after is None:
        return []
    return [{
        "care": "calibration", "code": WORSE if after > before else UNCLEAR, "measure": "ece", "before": before,
        "after": after, "difference": after - before, "low": None, "high": None, "p_value": None, "p_adjusted": None,
        "share": None, "small": False,
    }]  # fmt: skip


def _for_care(care: str, told: Mapping[str, Mapping[str, Finding]]) -> dict[str, Any]:
    able = [name for name, by in told.items() if care in by and by[care]["code"] == BETTER]
    if not able:
        return {"care": care, "pick": BASE, "code": "keep", "finding": None, "accuracy": None, "others": []}
    able.sort(key=lambda name: -abs(told[name][care]["difference"]))
    free = [name for name in able if told[name]["accuracy"]["code"] != WORSE]
    pick = (free or able)[0]
    return {
        "care": care, "pick": pick, "code": "pick" if free else "cost", "finding": told[pick][care],
        "accuracy": told[pick]["accuracy"],
        "others": [
            {"name": name, "after": told[name][care]["after"], "accuracy": told[name]["accuracy"]}
            for name in able
            if name != pick
        ],
    }  # fmt: skip


def _overall(told: Mapping[str, Mapping[str, Finding]], beaten: Collection[str]) -> dict[str, Any]:
    good = {name: [care for care, one in by.items() if one["code"] == BETTER] for name, by in told.items()}
    worth = {name: [care for care in cares if not told[name][care]["small"]] for name, cares in good.items()}
    harmless = [
        name
        for name, by in told.items()
        if worth[name] and name not in beaten and all(one["code"] != WORSE for one in by.values())
    ]
    if not harmless:
        code = "mixed" if any(worth.values()) else "small" if any(good.values()) else "keep"
        return {"pick": BASE, "code": code, "cares": []}
    shares = {name: sum(told[name][care]["share"] or 0.0 for care in worth[name]) for name in harmless}
    best = max(harmless, key=lambda name: (len(worth[name]), shares[name]))
    return {"pick": best, "code": "pick", "cares": worth[best]}


def _share(difference: float, whole: float) -> dict[str, float | bool | None]:
    """A difference as a share, and whether that is small; unknown where there is nothing to be a share of."""
    share = abs(difference) / whole if whole > 0 else None
    return {"share": share, "small": share is not None and share < LEAST}


def _code(measure: str, change: Mapping[str, float | None], alpha: float) -> str:
    low, high, p = change["low"], change["high"], change["p_adjusted"]
    if low is None or high is None or low <= 0 <= high:
        return UNCLEAR
    if (high < 0) != (measure in LOWER_IS_BETTER):
        return WORSE
    return BETTER if p is not None and p <= alpha else UNCLEAR


def _leak(before: Leak, after: Leak) -> Finding:
    code = BETTER if less_leaky(after, before) else WORSE if less_leaky(before, after) else UNCLEAR
    difference, read = after["value"] - before["value"], before["value"] - before.get("chance", 0.0)
    return {
        "care": "leakage", "code": code, "measure": "leakage", "before": before["value"], "after": after["value"],
        "difference": difference, "low": None, "high": None, "p_value": None, "p_adjusted": None,
        **_share(difference, read),
    }  # fmt: skip
