"""The section of Coat: each correction beside its own twin."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.debias_page import words
from benchmarks.debias_page.words import MISSING, Change
from benchmarks.row import Row
from benchmarks.rows.debias_coat import over_seeds
from equipoise.statistics import Interval

Told = Mapping[str, Mapping[str, Any]]

_ERRORS, _RANKING = ("MSE", "MAE"), ("per-user AUC", "NDCG@5")
_MEAN_RATING = "mean rating"
_CURVE = " + "
_NOTES = """How fields were chosen, and what else to know before trusting a difference:

- What 4-fold cross-validation on the chosen ratings finds best under `snips` serves all corrections; `MF` has its own.
- {edges}
- The grids and the length of training were changed after trial scores on the random ratings had been seen, so that all
  rows, the references too, may look somewhat better than they would on new data; the number of factors, epochs and the
  learning rate were not searched.
- `features` holds gender and age of the users beside properties of items.
- Seeds draw the 232 ratings that may be looked at and the model's start; the data are one and the same, so that
  intervals are over users.
"""


def section(row: Row) -> Iterable[str]:
    """Estimates of the mean, rating errors, ranking, and what was asked for beside what was reached."""
    told = over_seeds()
    estimates = _mean_rating(row)
    if estimates:
        yield from words.table(
            ("estimate of the mean rating", "value", "bias removed %"),
            [
                [name, words.number(estimates[name], 3), words.number(estimates.get(f"{name} removes %"), 0)]
                for name in estimates
                if not name.endswith("%") and name != "bias"
            ],
        )
    yield (
        "Each correction is held against its own reference: the same model with the same features and the same "
        "recalibrating curve (`+ intercept`, `+ linear`, fitted on the 232), without the correction. Only so a "
        "difference is the correction's doing. In differences every user counts alike; values of MSE and MAE are over "
        "ratings.\n"
    )
    settings = [name for name in row.parts if name != _MEAN_RATING]
    means = [name for name in settings if "mean" in name]
    settings = [*means, *(name for name in settings if name not in means)]
    yield "### Rating errors\n"
    yield from _table(row, told, settings, _ERRORS, ("MSE with overlap", "MAE with overlap"))
    yield "### Ranking\n"
    yield "A curve leaves the order as it is, so that rows with a curve would repeat those without.\n"
    yield from _table(row, told, [name for name in settings if _CURVE not in name], _RANKING, ("AUC",))
    yield "### Asked for and reached\n"
    yield from words.table(("asked for", "reached", ""), _reached(told, estimates))
    yield _NOTES.format(edges=_edges(row))


def _mean_rating(row: Row) -> Mapping[str, float]:
    parts = row.finished(_MEAN_RATING) if _MEAN_RATING in row.parts else {}
    return next((part["values"] for part in parts.values()), {})


def _table(
    row: Row, told: Told, settings: Sequence[str], measures: Sequence[str], more: Sequence[str]
) -> Iterable[str]:
    changes = {name: [_change(told.get(setting), name) for setting in settings] for name in measures}
    said = {name: words.verdicts(of_lines) for name, of_lines in changes.items()}
    lines = []
    for place, setting in enumerate(settings):
        if setting not in told:
            lines.append([setting, MISSING])
            continue
        line = [setting, told[setting]["reference"] or ""]
        for name in measures:
            change = changes[name][place]
            shown = change.turned() if name in _ERRORS else change
            line += [
                words.bracketed(told[setting]["intervals"][name], 3),
                words.interval(shown.interval, 3),
                said[name][place],
            ]
        parts = row.finished(setting)
        lines.append([*line, *(words.seeds(parts, name) for name in more), str(told[setting]["seeds"])])
    columns = [cell for name in measures for cell in (name, "difference", "")]
    yield from words.table(("method", "reference", *columns, *more, "seeds"), lines)


def _change(told: Mapping[str, Any] | None, measure: str) -> Change:
    """Against the reference, above 0 where it is better."""
    found = told["difference"].get(measure) if told else None
    if found is None:
        return Change()
    change = Change(Interval(found["difference"], found["low"], found["high"], 0), found["p_value"])
    return change.turned() if measure in _ERRORS else change


def _reached(told: Told, estimates: Mapping[str, float]) -> Iterable[list[str]]:
    corrected = {name: one for name, one in told.items() if one["reference"]}
    if not corrected:
        return
    for name, most in (("MSE", 1.095), ("MAE", 0.841), ("MSE", 1.05)):
        aim = f"{'aim: ' if most == 1.05 else ''}{name} at most {most}"
        for features in (False, True):
            some = {key: one for key, one in corrected.items() if ("features" in key) == features}
            if not some:
                continue
            best = min(some, key=lambda key: some[key]["intervals"][name][0])
            value, low, high = some[best]["intervals"][name]
            if value > most:
                word = "missed"
            else:
                surely = high is not None and high <= most
                word = "reached" if surely else "reached by the value; the interval reaches beyond"
            yield [
                f"{aim}, {'with' if features else 'without'} features",
                f"{words.bracketed((value, low, high), 3)} by {best}, the best of {len(some)}",
                word,
            ]
    for reference in dict.fromkeys(one["reference"] for one in corrected.values()):
        if _CURVE in reference:
            continue
        some = {
            key: one for key, one in corrected.items() if one["reference"] == reference and one["difference"]
        }
        if not some:
            continue
        best = max(some, key=lambda key: some[key]["difference"]["per-user AUC"]["difference"])
        found = some[best]["difference"]["per-user AUC"]
        below = sum(one["difference"]["per-user AUC"]["difference"] < 0 for one in some.values())
        yield [
            f"per-user AUC at least that of {reference}",
            f"{words.bracketed((found['difference'], found['low'], found['high']), 3)} by {best}, the best; "
            f"{below} of {len(some)} are below",
            "missed" if found["difference"] < 0 else "reached by the best",
        ]
    if "snips removes %" in estimates:
        share = estimates["snips removes %"]
        yield [
            "SNIPS removes 70 % of the bias of the mean rating",
            f"{share:.0f} %",
            "missed" if share < 70 else "reached",
        ]


def _edges(row: Row) -> str:
    """Which chosen fields lie on the edge of what was tried."""
    edges, chosen = [], 0
    for file in sorted(row.folder.glob("tuned-*.json")):
        tried = json.loads(file.read_text("utf-8"))
        best = min(tried, key=lambda one: one["error"])["fields"]
        for name in ("shrinkage", "bias_shrinkage"):
            values = [one["fields"][name] for one in tried]
            chosen += 1
            if best[name] in (min(values), max(values)):
                end = "most" if best[name] == max(values) else "least"
                edges.append(
                    f"{name} {best[name]} of {file.stem.removeprefix('tuned-')} ({end} that was tried)"
                )
    if not chosen:
        return "Whether chosen fields lie on the edge of the grid is not known: no search is kept here."
    if not edges:
        return "No chosen field lies on the edge of the grid."
    named = ", ".join(edges)
    return f"{len(edges)} of {chosen} chosen fields lie on the edge of the grid, better ones may lie beyond: {named}."
