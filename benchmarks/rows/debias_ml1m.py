"""Corrections on ML-1M: quality, its gap between men and women, what still tells gender, and exposure."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.preprocessing import StandardScaler

from benchmarks import data
from benchmarks.machine import threads
from benchmarks.row import Part, Row
from equipoise.audit.attackers import ATTACKERS, AUC, BALANCED_ACCURACY, infer_attribute, views
from equipoise.audit.lists import random_lists, top_popular
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data.splits import Split, Splits, split
from equipoise.debias import AfterTraining, Context, Correction, corrections
from equipoise.debias.corrected import Corrected, fit
from equipoise.metrics import ndcg, parse_system, per_user
from equipoise.models import Fitted, load_model, models, save_model

K = 10
GENDER = "gender"
BASE, POPULAR, RANDOM = "none", "popular", "random"
LAST = ", last event held out"

BACKBONES: Mapping[str, Mapping[str, Any]] = {
    "mf": {"epochs": 5, "check_every": 1},
    "ease": {"reg": 500.0},
    "mult_vae": {"epochs": 30},
    "sequence": {"blocks": 1, "length": 100, "epochs": 4, "check_every": 1, "batch_places": 3200},
}
"""Chosen once by NDCG@10 of validation events of the base, and by what a fit costs; the same for all methods. The
sequence model is a small one, stopped early: of its full size it reaches more."""

Methods = Mapping[str, tuple[str, Mapping[str, Any]]]
AFTER: Methods = {
    "user_gap": ("user_gap", {}),
    "user_gap, nobody levelled down": ("user_gap", {"level_down": False}),
    "calibrated": ("calibrated", {"category": "genres", "strength": 0.5}),
    "mmr": ("mmr", {"similarity": "histories", "strength": 0.3}),
    "fa_ir": ("fa_ir", {}),
    "max_min": ("max_min", {}),
    "exposure": ("exposure", {"group": "popularity", "strength": 0.3}),
    "self_calibration": ("self_calibration", {}),
}
WEIGHED: Methods = {
    "balanced_sampling": ("balanced_sampling", {"by": "group", "strength": 1.0}),
    "reweigh": ("reweigh", {"disparity": "quality", "rounds": 2}),
    "clipped_ips": ("clipped_ips", {"propensity": "popularity"}),
    "flip_attribute": ("flip_attribute", {}),
    "augment_gan": ("augment_gan", {"rounds": 1}),
}
TRAINED: Methods = {
    "adversarial": ("adversarial", {"moments": "covariances", "left": 0.25}),
    "adversarial by means": ("adversarial", {"moments": "means"}),
    "adversarial both": ("adversarial", {"how": "both", "moments": "means", "strength": 0.005}),
    "popularity_adjust": ("popularity_adjust", {}),
    "fair_regularizer": ("fair_regularizer", {}),
    "multitask": ("multitask", {}),
}
INSTEAD: Methods = {"causal_vae": ("causal_vae", {"options": {"epochs": 25}})}
"""Models that take the place of any other."""
"""`left` was chosen on validation events, by attackers of the vectors of then, where the base is read with a balanced
accuracy of .752: left 0 costs 3.9 % of NDCG@10 and leaves the four attackers .407, .511, .500 and .562, of which .407
turned round is .593; left .3 costs 3.1 % and leaves .538, .531, .529 and .570. The weak
adversaries of `both` were tried once there beside the means: 5.1 % lost, .593, .559, .500 and .567."""
METHODS: Methods = {BASE: ("", {}), **TRAINED, **INSTEAD, **WEIGHED, **AFTER}
ORDER: Mapping[str, Sequence[str]] = {
    "mf": (BASE, *AFTER, *TRAINED, *INSTEAD, *WEIGHED),
    "ease": (BASE, *AFTER, *WEIGHED),
    "mult_vae": (BASE,),
    "sequence": (BASE, "adversarial", "user_gap", "calibrated", "exposure", "balanced_sampling", "popularity_adjust"),
}  # fmt: skip
_SEEDS = (0, 1, 2)
_WITHHELD = 0.2  # share of users whose gender no correction is told, in a fit of its own

_PROTOCOL = (
    "ML-1M, 6,040 users, 3,416 items, 999,611 events; of each user the last 20 % held out for the test and 10 % before "
    "for validation; all items ranked, seen ones left out; gender; attackers: best of four, turned "
    "round where they are below chance, 5 folds, all users; withheld: the model is trained again without the gender of "
    "a fifth of the users, and attackers learn from the vectors of the others to read that fifth"
)


@lru_cache(maxsize=1)
def _parts(last: bool) -> Splits:
    whole = data.read("ml-1m", "movielens")
    return (
        data.leave_last(whole) if last else split(whole, Split(strategy="temporal_user", valid=0.1, test=0.2))
    )


def _measure(setting: str, seed: int, folder: Path) -> Part:
    parts = _parts(setting.endswith(LAST))
    backbone, _, method = setting.removesuffix(LAST).partition(" ")
    known, users = data.joined(parts.train, parts.valid), parts.test.events["user_id"].unique().sort()
    if backbone in (POPULAR, RANDOM):
        started = time.perf_counter()
        lists = (
            top_popular(known.events, users, K)
            if backbone == POPULAR
            else random_lists(known.events, users, K, seed)
        )
        return _judged(lists, None, parts, {"ms/user": _each(started, users)}, {})
    corrected, seconds = _fitted(backbone, method, seed, setting, folder)
    started = time.perf_counter()
    lists = corrected.recommend(users, K, observed=parts.valid)
    told = {"training s": seconds, "ms/user": _each(started, users)}
    model = corrected.model.observe(parts.valid.events) if method not in AFTER else None
    part = _judged(lists, model, parts, told, corrected.diagnostics)
    if "vectors auc" not in part.values or not (method == BASE or method.startswith("adversarial")):
        return part
    assert model is not None
    hidden = _withheld(parts.train, seed)
    if method != BASE:
        again = _corrected(backbone, method, seed, parts, _without_gender(parts.train, hidden))
        model = again.model.observe(parts.valid.events)
    attacks = _attacked_withheld(model, parts.train, hidden)
    values = {
        f"vectors withheld {metric}": max(by_attacker.values()) for metric, by_attacker in attacks.items()
    }
    return replace(part, values={**part.values, **values}, notes={**part.notes, "withheld": attacks})


def _withheld(train: Dataset, seed: int) -> pl.Series:
    """Ids of the users whose gender is kept from a correction."""
    assert train.users is not None
    users = train.users["user_id"].unique().sort()
    return users.sample(fraction=_WITHHELD, seed=seed).sort()


def _without_gender(train: Dataset, hidden: pl.Series) -> Dataset:
    assert train.users is not None
    told = pl.when(~pl.col("user_id").is_in(hidden.implode())).then(pl.col(GENDER)).alias(GENDER)
    return replace(train, users=train.users.with_columns(told))


def _attacked_withheld(model: Fitted, train: Dataset, hidden: pl.Series) -> dict[str, dict[str, float]]:
    """Metric -> attacker -> value, of attackers who learn from the other users and read these."""
    assert train.users is not None
    people = train.users.select("user_id", GENDER)
    users = model.catalogue.users.alias("user_id").to_frame()
    women = (users.join(people, on="user_id", how="left", maintain_order="left")[GENDER] == "F").to_numpy()
    vectors = model.user_vectors(np.arange(len(users)), model.histories)
    assert vectors is not None
    asked = users["user_id"].is_in(hidden.implode()).to_numpy()
    scaler = StandardScaler().fit(vectors[~asked].astype(np.float64))
    known, unknown = (scaler.transform(vectors[part].astype(np.float64)) for part in (~asked, asked))
    found: dict[str, dict[str, float]] = {BALANCED_ACCURACY: {}, AUC: {}}
    for name, attacker in ATTACKERS.items():
        learned = attacker.build(0, len(known)).fit(known, women[~asked])
        told = learned.predict_proba(unknown)[:, 1]
        share = float(
            women[~asked].mean()
        )  # where a balanced attacker says so: odds above those of the classes
        found[BALANCED_ACCURACY][name] = _turned(float(balanced_accuracy_score(women[asked], told > share)))
        found[AUC][name] = _turned(float(roc_auc_score(women[asked], told)))
    return found


def _turned(value: float) -> float:
    """What of two classes can be read by an attacker, or by who says the opposite."""
    return max(value, 1 - value)


def _fitted(backbone: str, method: str, seed: int, setting: str, folder: Path) -> tuple[Corrected, float]:
    """The corrected model, and the seconds of its training. What acts after training shares one model."""
    parts, runtime = _parts(setting.endswith(LAST)), _runtime(seed)
    chosen = _chosen(method)
    after = tuple(one for one in chosen if isinstance(one, AfterTraining))
    context = Context(parts.train, runtime, valid=parts.valid)
    kept = folder / f"model-{backbone}{LAST if setting.endswith(LAST) else ''}-{seed}".replace(" ", "_")
    shared = not chosen or bool(after)
    if shared and kept.exists():
        model = load_model(kept)
        seconds = float(json.loads(kept.with_suffix(".seconds").read_text("utf-8")))
        return Corrected(model, after, replace(context, model=model)), seconds
    started = time.perf_counter()
    corrected = _corrected(backbone, method, seed, parts, parts.train)
    seconds = time.perf_counter() - started
    if shared:
        kept.with_suffix(".seconds").write_text(json.dumps(seconds), "utf-8")
        save_model(corrected.model, kept)
    return corrected, seconds


def _corrected(backbone: str, method: str, seed: int, parts: Splits, train: Dataset) -> Corrected:
    recommender = models.build(backbone, BACKBONES[backbone])
    return fit(recommender, train, _chosen(method), valid=parts.valid, runtime=_runtime(seed))


def _chosen(method: str) -> list[Correction]:
    name, fields = METHODS[method]
    return [corrections.build(name, fields)] if name else []


def _runtime(seed: int) -> Runtime:
    return Runtime(seed=seed, threads=threads(), progress=False)


def _judged(
    lists: pl.DataFrame, model: Fitted | None, parts: Splits, told: dict[str, float], notes: Mapping[str, Any]
) -> Part:
    """All values of lists, and of the vectors of the model where there is one."""
    truth = parts.test.events.select("user_id", "item_id")
    people = parts.train.users
    assert people is not None
    values = pl.DataFrame(per_user(lists, truth, {"NDCG@10": ndcg(K)}))
    values = values.join(people.select("user_id", GENDER), on="user_id", how="left").sort("user_id")
    means: dict[str, float] = dict(values.group_by(GENDER).agg(pl.col("NDCG@10").mean()).iter_rows())
    catalogue = data.joined(parts.train, parts.valid).events.select("item_id").unique().sort("item_id")
    found: dict[str, float] = {
        "NDCG@10": float(values["NDCG@10"].to_numpy().mean()),
        "gap": means["M"] - means["F"],
        **{name: float(parse_system(name)(lists, catalogue)) for name in ("gini@10", "coverage@10")},
    }
    features = {"lists": views(lists, values["user_id"])["lists"]}
    if model is not None:
        rows = np.arange(len(model.catalogue.users))
        vectors = model.user_vectors(rows, model.histories)
        if vectors is not None:
            table = pl.DataFrame({"user_id": model.catalogue.users, "vector": vectors.astype(np.float64)})
            features["vectors"] = views(lists, values["user_id"], vectors=table)["vectors"]
    attacks = {view: _attacked(matrix, values[GENDER]) for view, matrix in features.items()}
    for view, by_attacker in attacks.items():
        for metric in (BALANCED_ACCURACY, AUC):
            found[f"{view} {metric}"] = max(by_attacker[metric].values())
    return Part(found | told, values, {"attackers": attacks, "corrections": dict(notes)})


def _attacked(features: Any, labels: pl.Series) -> dict[str, dict[str, float]]:
    """Metric -> attacker -> value."""
    told = infer_attribute(features, labels, seed=0).filter(~pl.col("control"))
    return {
        metric: {
            attacker: _turned(value)
            for attacker, value in told.filter(pl.col("metric") == metric)
            .select("attacker", "value")
            .iter_rows()
        }
        for metric in (BALANCED_ACCURACY, AUC)
    }


def _each(started: float, users: pl.Series) -> float:
    """Milliseconds per user since then, all users asked for at once."""
    return 1000 * (time.perf_counter() - started) / len(users)


def _settings() -> dict[str, Sequence[int]]:
    """The most telling first; what has no random number is measured once."""
    first = [f"mf {BASE}", "mf user_gap", POPULAR, RANDOM]
    first += [f"ease {name}" for name in (BASE, *AFTER)]
    first += ["mf adversarial", "mf adversarial by means"]
    first += [f"mf {name}" for name in (*AFTER, *TRAINED, *WEIGHED)]
    first += [f"sequence {name}" for name in (BASE, "adversarial", "user_gap")]
    rest = [f"{backbone} {method}" for backbone, methods in ORDER.items() for method in methods]
    names = dict.fromkeys([*first, *rest, f"mf {BASE}{LAST}", f"mf adversarial{LAST}", f"mf user_gap{LAST}"])
    return {name: (0,) if name == POPULAR or name.startswith("ease") else _SEEDS for name in names}


ROWS = [
    Row(
        "debias-ml1m",
        _PROTOCOL,
        _settings(),
        _measure,
        target="adversarial: balanced accuracy on vectors, withheld ones too, at most .55 at no more than 3 % of "
        "NDCG@10 of the base; after training: gap at least halved at no more than 2 %",
    )
]
