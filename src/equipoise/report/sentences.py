"""The verdict in words: what may be said of before and after, and no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from equipoise.data import vocabulary as v
from equipoise.report.languages import Words
from equipoise.report.numbers import count, number, p_value, percent


def headline(metrics: Mapping[str, Any]) -> str | None:
    """The metric the verdict speaks of: the first NDCG, else the first metric there is."""
    names = list(metrics.get("stages", {}).get(v.BASELINE, {}))
    return next((name for name in names if name.startswith("ndcg@")), names[0] if names else None)


def verdict(metrics: Mapping[str, Any], words: Words) -> str:
    """One sentence: what the truth says where it is known, else what held-out events say."""
    return truth(metrics, words) or held_out(metrics, words)


def truth(metrics: Mapping[str, Any], words: Words) -> str | None:
    """What a world's own truth says of before and after; None where there is no world.

    Every user of the world counts and every preference is known, so there is no interval.
    """
    name, planted = headline(metrics), metrics.get("planted", {})
    key = f"preference_{name}"
    if name is None or key not in planted.get(v.BASELINE, {}):
        return None
    before = number(planted[v.BASELINE][key])
    if v.CORRECTED not in planted:
        return words("truth.alone", metric=shown(name, words), before=before)
    change = planted[v.CORRECTED][key] - planted[v.BASELINE][key]
    said = "same" if abs(change) < 0.0005 else "better" if change > 0 else "worse"
    after = number(planted[v.CORRECTED][key])
    return words(f"truth.{said}", metric=shown(name, words), before=before, after=after)


def held_out(metrics: Mapping[str, Any], words: Words) -> str:
    """Better or worse only where the whole interval of the paired difference says so."""
    name = headline(metrics)
    if name is None:
        return words("verdict.nothing")
    stages = metrics["stages"]
    values = {"metric": shown(name, words), "before": number(stages[v.BASELINE][name]["value"])}
    compared = metrics.get("comparison", {}).get(name)
    if v.CORRECTED not in stages or compared is None:
        return words("verdict.alone", **values)
    values["after"] = number(stages[v.CORRECTED][name]["value"])
    low, high = compared["low"], compared["high"]
    if low is None or high is None:
        return words("verdict.same" if compared["difference"] == 0 else "verdict.few", **values)
    if low > 0:
        return words("verdict.better", **values)
    return words("verdict.worse" if high < 0 else "verdict.unclear", **values)


def evidence(metrics: Mapping[str, Any], words: Words) -> list[str]:
    """What stands behind the verdict: the interval, then exposure and coverage."""
    name = headline(metrics)
    if name is None:
        return []
    protocol, stages = metrics.get("protocol", {}), metrics["stages"]
    facts = {"level": percent(protocol.get("level", 0.95)), "users": count(protocol.get("test_users", 0))}
    compared = metrics.get("comparison", {}).get(name)
    said = []
    if truth(metrics, words) is not None:
        said += [words("truth.logged"), held_out(metrics, words)]
    if compared is None:
        one = stages[v.BASELINE][name]
        if one["low"] is not None:
            said.append(words("verdict.interval", low=number(one["low"]), high=number(one["high"]), **facts))
        said.append(words("verdict.no_comparison"))
    elif compared["low"] is not None:
        p = p_value(compared["p_value"])
        chance = words("p.small", p=p[2:]) if p.startswith("<") else words("p", p=p)
        signed = {key: number(compared[key], signed=True) for key in ("difference", "low", "high")}
        said.append(words("verdict.difference", p=chance, **signed, **facts))
    return said + exposure(metrics, words)


def exposure(metrics: Mapping[str, Any], words: Words) -> list[str]:
    """Coverage and concentration, before and after."""
    system = metrics.get("system", {})
    before, after = system.get(v.BASELINE, {}), system.get(v.CORRECTED, {})
    gini = next((name for name in before if name.startswith("gini@")), None)
    coverage = next((name for name in before if name.startswith("coverage@")), None)
    if gini is None or coverage is None:
        return []
    if gini not in after or coverage not in after:
        return [words("verdict.coverage_alone", before=percent(before[coverage]), gini=number(before[gini]))]
    change = after[gini] - before[gini]
    key = "exposure_same" if abs(change) < 0.0005 else "concentrated" if change > 0 else "spread"
    return [
        words(f"verdict.{key}", before=number(before[gini]), after=number(after[gini])),
        words("verdict.coverage", before=percent(before[coverage]), after=percent(after[coverage])),
    ]


def shown(name: str, words: Words) -> str:
    """A metric's name as people write it: "NDCG@10", "Hit rate@10"."""
    base, at, cutoff = name.partition("@")
    return words.known("metric", base) + at + cutoff
