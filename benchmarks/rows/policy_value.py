"""Off-policy values on planted worlds: do the intervals cover, is double robustness there; and Open Bandit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks import data
from benchmarks.row import Part, Row
from equipoise.causal.off_policy import Support, estimators, policy_value
from equipoise.causal.off_policy.summary import Weights, equal_contributions, ratio_of_means
from equipoise.causal.off_policy.support import doubts, refusals
from equipoise.statistics import Estimate

Floats = NDArray[np.float64]

WORLDS = 500
_CONTEXTS, _ITEMS = 20, 10
_SIZES = (1000, 5000, 20_000)
_RATES = (0.5, 0.05, 0.005)
_OVERLAPS = {"good": 0.15, "fair": 0.4, "poor": 0.8, "bad": 1.3}  # spread of the scores of both policies
_MODEL = ("q_logged", "q_target")
_NAMES = ("ips", "snips", "dr", "sndr")


@dataclass(frozen=True)
class World:
    """Policies and rewards by context and item, (contexts, items)."""

    logger: Floats
    target: Floats
    reward: Floats
    model: Floats

    @property
    def truth(self) -> float:
        return float((self.target * self.reward).sum(axis=1).mean())

    @classmethod
    def draw(cls, rng: np.random.Generator, rate: float, spread: float) -> World:
        logger, target = (_softmax(rng.normal(0, spread, (_CONTEXTS, _ITEMS))) for _ in range(2))
        taste, blur = np.exp(rng.normal(0, 0.5, (2, _CONTEXTS, _ITEMS)))
        reward = np.clip(rate * taste / taste.mean(), 0, 1)
        return cls(logger, target, reward, np.clip(reward * blur, 0, 1))

    def log(self, rng: np.random.Generator, n: int, users: bool = False) -> pl.DataFrame:
        """Rows; of `users`, five each, who share a context and like all or nothing."""
        x = rng.integers(0, _CONTEXTS, n)
        liking = np.ones(n)
        if users:
            x, liking = np.repeat(x[: n // 5], 5), np.repeat(rng.binomial(1, 0.5, n // 5) * 2.0, 5)
        a = (self.logger[x].cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1).clip(0, _ITEMS - 1)
        frame = pl.DataFrame(
            {
                "item_id": a,
                "reward": (rng.random(n) < self.reward[x, a] * liking).astype(float),
                "propensity": self.logger[x, a],
                "e": self.target[x, a],
                "q_logged": self.model[x, a],
                "q_target": (self.target * self.model).sum(axis=1)[x],
            }
        )
        return frame.with_columns(user_id=pl.Series(np.arange(n) // 5)) if users else frame


def _softmax(scores: Floats) -> Floats:
    weight = np.exp(scores)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Judged:
    """An estimate as `policy_value` reports it."""

    estimator: str
    value: float
    low: float
    high: float
    reliable: bool


def _judged(log: pl.DataFrame) -> list[Judged]:
    """All estimators of a log; nothing if they are refused.

    Sums per cluster are made by NumPy here, which is faster on small logs than a data frame's engine; intervals,
    refusals and doubts are those of `policy_value`, and `_coverage` compares the two on every cell's first world.
    """
    columns = {name: log[name].to_numpy() for name in log.columns}
    r, w, q, direct = columns["reward"], columns["e"] / columns["propensity"], *(columns[c] for c in _MODEL)
    user = columns.get("user_id", np.arange(len(log)))
    count = int(user.max()) + 1
    zero, one = np.zeros(len(log)), np.ones(len(log))

    def estimate(*terms: Floats) -> Estimate:
        sums = [np.bincount(user, term, minlength=count).astype(np.float64) for term in (*terms, one)]
        return ratio_of_means(*sums)

    weights = Weights(
        n=len(log),
        effective_sample_size=float(w.sum() ** 2 / np.square(w).sum()),
        largest=float(w.max()),
        largest_share=float(w.max() / w.sum()),
        mean=estimate(zero, w, one),
        share_cut=0.0,
        largest_contribution=0.0,
        contributions=equal_contributions(np.bincount(user, w * r, minlength=count).astype(np.float64)),
        logger=estimate(zero, r, one),
    )
    if refusals(Support(), weights, None):
        return []
    terms = {
        "ips": (zero, w * r, one),
        "snips": (zero, w * r, w),
        "dr": (direct, w * (r - q), one),
        "sndr": (direct, w * (r - q), w),
    }
    judged = []
    for name in _NAMES:
        found = estimate(*terms[name])
        ends = found.interval()
        doubt = doubts(Support(), estimators.build(name), weights, found, 0.0)
        judged.append(Judged(name, found.value, ends.low or 0.0, ends.high or 0.0, doubt is None))
    return judged


def _agrees(log: pl.DataFrame, judged: list[Judged]) -> bool:
    """Whether `policy_value` says the same."""
    whole = [policy_value(log, "e", name, _MODEL) for name in _NAMES]
    if not judged:
        return all(value.refused for value in whole)
    return all(
        np.allclose(
            np.array([value.value, value.low, value.high], float), (own.value, own.low, own.high), rtol=1e-9
        )
        and value.interval_reliable == own.reliable
        for value, own in zip(whole, judged, strict=True)
    )


def _coverage(setting: str, seed: int, folder: Path) -> Part:
    overlap, size, *users = setting.split(", ")
    n = int(size.removeprefix("n "))
    values: dict[str, float] = {}
    for rate in (0.1,) if users else _RATES:
        held: dict[tuple[str, bool], list[bool]] = {}
        refused = 0
        for world in range(WORLDS):
            rng = np.random.default_rng([seed, world, n, int(1e4 * rate), int(100 * _OVERLAPS[overlap])])
            planted = World.draw(rng, rate, _OVERLAPS[overlap])
            log = planted.log(rng, n, bool(users))
            judged = _judged(log)
            assert world or _agrees(log, judged)
            refused += not judged
            for own in judged:
                held.setdefault((own.estimator, own.reliable), []).append(
                    own.low <= planted.truth <= own.high
                )
        at = f"at {100 * rate:g} %"
        values[f"refused {at}"] = refused
        for name in _NAMES:
            good, bad = held.get((name, True), []), held.get((name, False), [])
            values[f"{name} {at} reliable"] = len(good)
            values |= {f"{name} {at} covers": float(np.mean(good))} if good else {}
            values |= {f"{name} {at} flagged covers": float(np.mean(bad))} if bad else {}
    return Part(values)


def _robustness(setting: str, seed: int, folder: Path) -> Part:
    world = World.draw(np.random.default_rng([seed, 77]), 0.3, 0.8)
    model = np.full_like(world.reward, 0.6) if setting in ("model wrong", "both wrong") else world.reward
    world = replace(world, model=model)
    unread = world.logger.mean(axis=0)  # the logger's shares of items, as if it had not looked at the request
    errors, held = [], []
    for seed_of_log in range(WORLDS):
        log = world.log(np.random.default_rng([seed, seed_of_log, 78]), 2000)
        if setting in ("propensities wrong", "both wrong"):
            log = log.with_columns(propensity=pl.Series(unread[log["item_id"].to_numpy()]))
        value = policy_value(log, "e", "dr", _MODEL)
        assert value.value is not None
        assert value.low is not None
        assert value.high is not None
        errors.append(value.value - world.truth)
        held.append(value.low <= world.truth <= value.high)
    bias = float(np.mean(errors))
    noise = float(np.std(errors, ddof=1) / np.sqrt(WORLDS))
    return Part(
        {"bias": bias, "its standard error": noise, "ratio": bias / noise, "covers": float(np.mean(held))}
    )


def _open_bandit(setting: str, seed: int, folder: Path) -> Part:
    logged, truth = (_campaign(policy, setting) for policy in ("bts", "random"))
    items = sorted(set(truth["item_id"].to_list()))
    rate = float(truth["reward"].to_numpy().mean())
    error = float(np.sqrt(rate * (1 - rate) / (len(truth) - 1)))
    model = LogisticRegression(C=0.1, max_iter=500)
    values: dict[str, float] = {"randomised arm": rate, "randomised arm ±": 1.96 * error}
    reasons: dict[str, str | None] = {}
    options: dict[str, dict[str, Any]] = {
        "ips": {}, "snips": {}, "clipped_ips": {"clip": 10}, "dm": {}, "dr": {}, "sndr": {},
        "switch_dr": {"tau": 10}, "dros": {"lam": 100}, "slope": {},
    }  # fmt: skip
    for name, fields in options.items():
        found = policy_value(logged, "uniform", name, model, items=items, seed=seed, **fields)
        if found.value is None or found.standard_error is None:
            values[f"{name} refused"] = 1.0
            reasons[name] = found.reason
            continue
        half = 1.96 * float(np.hypot(found.standard_error, error))
        gap = found.value - rate
        values |= {name: found.value, f"{name} low": found.low or 0.0, f"{name} high": found.high or 0.0}
        values |= {f"{name} gap low": gap - half, f"{name} gap high": gap + half}
        values |= {f"{name} reliable": float(found.interval_reliable)}
    values |= {
        "effective": found.effective_sample_size,
        "mean w": found.mean_weight,
        "max w": found.max_weight,
        "largest share": found.largest_share,
    }
    return Part(values, notes={"refused": reasons})


def _campaign(policy: str, campaign: str) -> pl.DataFrame:
    """One log as it is, every row on its own: the release knows no users, only four hashed features."""
    path = data.folder("open-bandit") / policy / campaign / f"{campaign}.csv"
    table = pl.read_csv(path)
    return table.select(
        pl.col("item_id"),
        pl.col("position"),
        pl.col("click").cast(pl.Float64).alias("reward"),
        pl.col("propensity_score").alias("propensity"),
        *(f"user_feature_{k}" for k in range(4)),
    )


COVERAGE = Row(
    name="policy-coverage",
    protocol=f"{WORLDS} planted worlds per cell ({_CONTEXTS} contexts x {_ITEMS} items, policies drawn at random), "
    "95 % intervals; a cell's reliable worlds, how many of them cover the truth, and how many of the flagged",
    parts={
        **{f"{overlap}, n {n}": (0,) for overlap in _OVERLAPS for n in _SIZES},
        "good, n 5000, users": (0,),
        "fair, n 20000, users": (0,),
    },
    measure=_coverage,
    target="0.93-0.97 (± 2 Monte-Carlo standard errors) wherever reliable; elsewhere flagged or refused",
)
ROBUSTNESS = Row(
    name="policy-robustness",
    protocol=f"DR on {WORLDS} logs of 2000 rows from one planted world; ratio is bias over its standard error",
    parts=dict.fromkeys(("both right", "model wrong", "propensities wrong", "both wrong"), (0,)),
    measure=_robustness,
    target="|ratio| < 2 unless both are wrong",
)
OPEN_BANDIT = Row(
    name="open-bandit",
    protocol="the uniform policy valued from the log of Thompson sampling (10,000 rows); outcome model: "
    "cross-fitted logistic regression; gap: to the click rate of the randomised log, 95 %",
    parts={"men": (0,), "women": (0,)},
    measure=_open_bandit,
    target="the gap's interval holds 0 for IPS and SNIPS",
)
ROWS = (COVERAGE, ROBUSTNESS, OPEN_BANDIT)
