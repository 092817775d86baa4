"""Coat: ratings that users chose to give, judged on ratings of random items."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import coat
from benchmarks.coat import Floats, Protocol
from benchmarks.row import Part, Row
from equipoise.debias.after.curves import fit_curve

SEEDS = tuple(range(10))
REFERENCE = "MF"
"""The model without a correction."""

_METHODS = ("ips", "snips", "clipped_ips", "dr_jl", "mrdr", "stable_dr")
_IMPUTING = ("dr_jl", "mrdr", "stable_dr")
_UNWEIGHTED = ("invariant", "fair_regularizer")
"""Methods without weights; they have the fields of the model without a correction."""
_BAYES, _FEATURES, _JOINT = ", naive Bayes", ", features", ", joint"
_CURVES = {" + intercept": "intercept", " + linear": "linear"}

_MODELS = (
    REFERENCE,
    *_METHODS,
    *_UNWEIGHTED,
    *(method + _JOINT for method in _IMPUTING),
    *(method + _BAYES for method in ("ips", "snips")),
    REFERENCE + _FEATURES,
    *(method + _FEATURES for method in _METHODS),
)
_SETTINGS = (
    "train mean",
    "item and user means",
    *_MODELS,
    *(model + " + linear" for model in _MODELS),
    *(model + " + intercept" for model in (REFERENCE, "ips", "snips")),
)


def _measure(setting: str, seed: int, folder: Path) -> Part:
    if setting == "mean rating":
        return _mean_ratings()
    protocol = Protocol.of(seed)
    said, notes = _said(setting, seed, protocol, folder)
    values: dict[str, float] = {}
    tables = {}
    for column, rows in (("", protocol.new), (" with overlap", np.ones(len(protocol.new), dtype=bool))):
        asked = protocol.scored.take(rows)
        found, tables[column] = coat.measured(asked.of_scores(said), asked)
        values |= {name + column: value for name, value in found.items()}
    notes |= {"rows scored": int(protocol.new.sum()), "rows scored with overlap": len(protocol.new)}
    return Part(values, tables[""], notes | {"intervals": coat.intervals([tables[""]])})


def _said(setting: str, seed: int, protocol: Protocol, folder: Path) -> tuple[Floats, dict[str, Any]]:
    """Ratings of all cells, and how they were come by."""
    if setting == "train mean":
        mean = float(protocol.train.events["value"].to_numpy().mean())
        return np.full((290, 300), mean), {}
    if setting == "item and user means":
        return coat.means(protocol.train), {}
    end = next((end for end in _CURVES if setting.endswith(end)), "")
    said, notes = _model(setting.removesuffix(end), seed, protocol, folder)
    if not end:
        return said, notes
    curve = fit_curve(_CURVES[end], protocol.sample.of_scores(said), protocol.sample.values)  # type: ignore[arg-type]
    return curve(said.ravel()).reshape(said.shape), notes | {"curve": curve.plain()}


def _identity(setting: str) -> str:
    """What a setting is measured with."""
    named = setting.startswith((REFERENCE, *_METHODS, *_UNWEIGHTED))
    return coat.settings(_FEATURES in setting) if named else ""


def _model(name: str, seed: int, protocol: Protocol, folder: Path) -> tuple[Floats, dict[str, Any]]:
    """A model's ratings of all cells, kept once computed."""
    method = name.removesuffix(_FEATURES).removesuffix(_BAYES).removesuffix(_JOINT)
    plain = method in (REFERENCE, *_UNWEIGHTED)
    fields = coat.tuned("naive" if plain else "snips", name.endswith(_FEATURES), folder)
    options: Mapping[str, Any] = {"joint": True} if name.endswith(_JOINT) else {}
    if name.endswith(_BAYES):
        options = {"propensity": "naive_bayes", "options": {"marginal": protocol.marginal}}
    if method in _IMPUTING and name.endswith(_FEATURES):
        options = {"attributes": coat.ATTRIBUTES}
    file = folder / f"scores-{name.replace(' ', '_').replace(',', '')}-{seed}.npy"
    if not file.exists():
        chosen = None if method == REFERENCE else method
        np.save(file, coat.scores(protocol.train, chosen, options, fields, seed))
    return np.load(file), {"fields": fields, "options": dict(options)}


def _mean_ratings() -> Part:
    """The mean rating of all cells by each kind of weights, against the mean of the random ratings."""
    train, test = coat.files()
    naive, truth = float(train.events["value"].to_numpy().mean()), float(test["value"].to_numpy().mean())
    values = {"naive": naive, "random ratings": truth, "bias": naive - truth}
    for method in ("ips", "snips", "clipped_ips"):
        estimate = coat.weighted_mean(train, method)
        values |= {
            method: estimate,
            f"{method} removes %": 100 * (1 - abs(estimate - truth) / (naive - truth)),
        }
    return Part(values)


def reference_of(setting: str) -> str | None:
    """The twin of a setting: the same attributes and the same curve, and no correction.

    Only against it a difference tells what the correction does, and not what attributes or a curve do.

    Returns:
        A setting; None where there is no correction whose doing could be told.
    """
    end = next((end for end in _CURVES if setting.endswith(end)), "")
    name = setting.removesuffix(end)
    method = name.removesuffix(_FEATURES).removesuffix(_BAYES).removesuffix(_JOINT)
    if method not in (*_METHODS, *_UNWEIGHTED):
        return None
    return REFERENCE + _FEATURES * name.endswith(_FEATURES) + end


def over_seeds() -> dict[str, dict[str, Any]]:
    """What all finished seeds say together of each setting.

    Returns:
        Setting -> `seeds`, how many; `intervals`, measure -> (value, low, high), over users of the means over seeds;
        `reference`, see `reference_of`; `difference`, measure -> difference, low, high and p_value of setting less
        reference, on the same users and the seeds that both have; empty without a reference. Measures are MSE,
        MAE, per-user AUC and NDCG@5.
    """
    (row,) = ROWS
    tables = {
        setting: dict(zip(row.finished(setting), row.per_user(setting), strict=True)) for setting in _SETTINGS
    }
    told = {}
    for setting, found in tables.items():
        if not found:
            continue
        reference = reference_of(setting)
        both = [seed for seed in found if seed in tables.get(reference or "", {})]
        told[setting] = {
            "seeds": len(found),
            "intervals": coat.intervals(list(found.values())),
            "reference": reference,
            "difference": coat.paired(*([side[seed] for seed in both] for side in (found, tables[reference])))
            if reference and both
            else {},
        }
    return told


ROWS = [
    Row(
        "debias-coat",
        "Coat, 290 users x 300 items: models see the 6,960 chosen ratings only; 232 of the 4,640 random ratings "
        "(drawn by the seed) for naive-Bayes propensities and recalibration, never scored; scored are the others, "
        "without cells that training holds (with them: `with overlap`); positive: a rating from 3 on; per-user AUC "
        "over users with both kinds, NDCG@5 over users with a positive; fields by 4-fold cross-validation on the "
        "chosen ratings, held-out errors weighted where the method weighs: shrinkage .2, .3, .4, .6 x bias shrinkage "
        ".03, .1, .3 (with features .6, 1.2, 2.4, 4.8 x .3, 1, 3); what is best under snips serves all corrections; "
        "three of the four chosen pairs have the grid's largest bias shrinkage, so that a wider grid may do better; "
        "width, epochs and learning rate were set by hand, and differ with features; "
        "features: attributes of users (gender and age named) and items",
        {**dict.fromkeys(_SETTINGS, SEEDS), "mean rating": (0,)},
        _measure,
        "MSE at most 1.095, MAE .841; aim MSE under 1.05; per-user AUC at least MF's; SNIPS removes 70 % of the bias",
        _identity,
    )
]
