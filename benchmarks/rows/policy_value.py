"""Off-policy values on planted worlds: do the intervals cover, is double robustness there; and Open Bandit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from benchmarks import data
from benchmarks.row import Part, Row
from equipoise.causal.off_policy import Support, estimators, policy_value
from equipoise.causal.off_policy.contributions import Exposure
from equipoise.causal.off_policy.fingerprint import Fingerprint
from equipoise.causal.off_policy.summary import Answer, Weights, ratio_of_means
from equipoise.causal.off_policy.support import doubts, refusals
from equipoise.causal.off_policy.value import Difference, Evidence, difference
from equipoise.statistics import Estimate

Floats = NDArray[np.float64]
Columns = dict[str, NDArray[Any]]

WORLDS = 500
_CONTEXTS, _ITEMS = 20, 10
_SIZES = (1000, 5000, 20_000)
_RATES = (0.5, 0.05, 0.005)
_OVERLAPS = {"good": 0.15, "fair": 0.4, "poor": 0.8, "bad": 1.3}  # spread of the scores of both policies
_MODEL = ("q_logged", "q_target")
_KNOWN = ("position", *(f"user_feature_{k}" for k in range(4)))  # of a campaign's request
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

    def log(self, rng: np.random.Generator, n: int, users: bool = False) -> Columns:
        """Rows as columns; of `users`, five each, who share a context and like all or nothing."""
        x = rng.integers(0, _CONTEXTS, n)
        liking = np.ones(n)
        if users:
            x, liking = np.repeat(x[: n // 5], 5), np.repeat(rng.binomial(1, 0.5, n // 5) * 2.0, 5)
        a = (self.logger[x].cumsum(axis=1) < rng.random(n)[:, None]).sum(axis=1).clip(0, _ITEMS - 1)
        columns = {
            "item_id": a,
            "reward": (rng.random(n) < self.reward[x, a] * liking).astype(float),
            "propensity": self.logger[x, a],
            "e": self.target[x, a],
            "q_logged": self.model[x, a],
            "q_target": (self.target * self.model).sum(axis=1)[x],
        }
        return {**columns, "user_id": np.arange(n) // 5} if users else columns


def _softmax(scores: Floats) -> Floats:
    weight = np.exp(scores)
    return np.asarray(weight / weight.sum(axis=1, keepdims=True))


@dataclass(frozen=True)
class Judged:
    """An estimate as `policy_value` reports it."""

    value: float
    low: float
    high: float
    reliable: bool
    evidence: Evidence

    def covers(self, truth: float) -> bool:
        return self.low <= truth <= self.high


def _judged(columns: Columns, target: str = "e", names: Sequence[str] = _NAMES) -> dict[str, Judged]:
    """Estimators of a log; nothing if they are refused.

    Sums per cluster are made by NumPy here, which is faster on small logs than a data frame's engine; intervals,
    refusals and doubts are those of `policy_value`, and `_agrees` compares the two on every cell's first world.
    """
    r, w = columns["reward"], columns[target] / columns["propensity"]
    q, direct = (columns.get(name, np.zeros(len(r))) for name in _MODEL)
    user = columns.get("user_id", np.arange(len(r)))
    count = int(user.max()) + 1
    zero, one = np.zeros(len(r)), np.ones(len(r))

    def sums(*terms: Floats) -> list[Floats]:
        if count == len(r):
            return list(terms)
        return [np.bincount(user, term, minlength=count).astype(np.float64) for term in terms]

    def estimate(*terms: Floats) -> Estimate:
        return ratio_of_means(*sums(*terms, one))

    logger = estimate(zero, r, one)
    weights = Weights(
        n=len(r),
        effective_sample_size=float(w.sum() ** 2 / np.square(w).sum()),
        largest=float(w.max()),
        largest_share=float(w.max() / w.sum()),
        mean=estimate(zero, w, one),
        share_cut=0.0,
        largest_contribution=0.0,
        logger=logger,
        logger_exposure=Exposure(zero, 0.0, 0.0),
        fingerprint=Fingerprint(None, {}),
    )
    checked = [("", weights)]
    if refusals(Support(), checked, None):
        return {}
    exposed, squared = sums(w, w * w)
    judged = {}
    for name in names:
        way = estimators.build(name)
        residual = r - q if way.modelled else r
        below = w if way.normalised else one
        found = estimate(direct if way.modelled else zero, w * residual, below)
        centre = float((w * residual).sum() / w.sum()) if way.normalised else 0.0
        scale = count / float(below.sum())
        spread = float(np.abs(residual - centre).max())
        exposure = Exposure(exposed * scale, float(np.sqrt(squared.max())) * scale, spread)
        answer = Answer(found, exposure, estimate(zero, w * r, w).influence if way.modelled else None)
        ends = found.interval()
        reliable = doubts(Support(), answer, checked) is None
        evidence = Evidence(weights.fingerprint, weights.mean, answer)
        judged[name] = Judged(found.value, ends.low or 0.0, ends.high or 0.0, reliable, evidence)
    return judged


def _agrees(
    columns: Columns, judged: dict[str, Judged], target: str = "e", names: Sequence[str] = _NAMES
) -> bool:
    """Whether `policy_value` says the same."""
    log = pl.DataFrame(columns)
    whole = {
        name: policy_value(log, target, name, _MODEL if "q_logged" in columns else None) for name in names
    }
    if not judged:
        return all(value.refused for value in whole.values())
    return all(
        np.allclose(
            np.array([whole[name].value, whole[name].low, whole[name].high], float),
            (own.value, own.low, own.high),
            rtol=1e-9,
        )
        and whole[name].interval_reliable == own.reliable
        for name, own in judged.items()
    )


def _coverage(setting: str, seed: int, folder: Path) -> Part:
    overlap, size, *users = setting.split(", ")
    if overlap in _SPECIAL:
        return _SPECIAL[overlap](int(size.removeprefix("n ")), seed)
    n = int(size.removeprefix("n "))
    values: dict[str, float] = {}
    for rate in (0.1,) if users else _RATES:
        tally = _Tally(f"at {100 * rate:g} %")
        for world in range(WORLDS):
            rng = np.random.default_rng([seed, world, n, int(1e4 * rate), int(100 * _OVERLAPS[overlap])])
            planted = World.draw(rng, rate, _OVERLAPS[overlap])
            log = planted.log(rng, n, bool(users))
            judged = _judged(log)
            assert world or _agrees(log, judged)
            tally.add(judged, planted.truth)
        values |= tally.values(_NAMES)
    return Part(values)


@dataclass
class _Tally:
    """How many worlds were refused, flagged and reliable, and how often intervals covered."""

    where: str
    refused: int = 0
    held: dict[tuple[str, bool], list[bool]] = field(default_factory=dict)

    def add(self, judged: dict[str, Judged], truth: float) -> None:
        self.refused += not judged
        for name, own in judged.items():
            self.held.setdefault((name, own.reliable), []).append(own.covers(truth))

    def values(self, names: Sequence[str]) -> dict[str, float]:
        values: dict[str, float] = {f"refused {self.where}": self.refused}
        for name in names:
            good, bad = self.held.get((name, True), []), self.held.get((name, False), [])
            values[f"{name} {self.where} reliable"] = len(good)
            values |= {f"{name} {self.where} covers": float(np.mean(good))} if good else {}
            values |= {f"{name} {self.where} flagged covers": float(np.mean(bad))} if bad else {}
        return values


def _rare_item(n: int, seed: int) -> Part:
    """A tenth of the requests needs an item that the logger shows with probability 0.01, and that earns more."""
    values: dict[str, float] = {}
    for rate in (0.2, 0.5):
        tally = _Tally(f"at {100 * rate:g} %")
        for world in range(WORLDS):
            rng = np.random.default_rng([seed, world, n, int(100 * rate), 31])
            log = _two_items(rng, n, needs=0.1, shown=0.01, rate=0.1, rare=rate)
            log |= {"q_logged": np.full(n, 0.1), "q_target": np.full(n, 0.1)}
            judged = _judged(log, "new")
            assert world or _agrees(log, judged, "new")
            tally.add(judged, 0.9 * 0.1 + 0.1 * rate)
        values |= tally.values(_NAMES)
    return Part(values)


def _near_equal(n: int, seed: int) -> Part:
    """Two policies that differ in few requests, there by an item shown with probability 0.05, and earn the same."""
    values: dict[str, float] = {}
    for share in (0.01, 0.1, 0.5):
        held: dict[str, list[Difference]] = {"ips": [], "snips": []}
        for world in range(WORLDS):
            rng = np.random.default_rng([seed, world, n, int(100 * share), 32])
            log = _two_items(rng, n, needs=share, shown=0.05, rate=0.1, rare=0.1)
            new, old = (_judged(log, policy, tuple(held)) for policy in ("old", "new"))
            if not (new and old):
                continue
            for name, gaps in held.items():
                gaps.append(difference(new[name].evidence, old[name].evidence, 0.95, Support()))
            if not world:
                table = pl.DataFrame(log)
                whole = policy_value(table, "old", "ips").minus(policy_value(table, "new", "ips"))
                assert np.isclose(whole.low or 0, held["ips"][0].low or 0)
                assert whole.interval_reliable == held["ips"][0].interval_reliable
        for name, gaps in held.items():
            at = f"{name}, differing in {share:.0%}:"
            good = [gap for gap in gaps if gap.interval_reliable]
            values[f"{at} reliable"] = len(good)
            above = [(gap.low or 0) > 0 for gap in gaps]
            values[f"{at} above 0 without the flag"] = float(np.mean(above))
            if good:
                values[f"{at} above 0"] = float(np.mean([(gap.low or 0) > 0 for gap in good]))
                values[f"{at} below 0"] = float(np.mean([(gap.high or 0) < 0 for gap in good]))
    return Part(values)


def _two_items(
    rng: np.random.Generator, n: int, *, needs: float, shown: float, rate: float, rare: float
) -> Columns:
    """Item 1 is shown with probability `shown`; policy `new` shows it in the share `needs` of requests, `old` never."""
    asked, item = rng.random(n) < needs, (rng.random(n) < shown).astype(np.int64)
    reward = rng.random(n) < np.where(asked & (item == 1), rare, rate)
    return {
        "item_id": item,
        "reward": reward.astype(float),
        "propensity": np.where(item == 1, shown, 1 - shown),
        "new": (item == asked).astype(float),
        "old": (item == 0).astype(float),
    }


_SPECIAL = {"rare item": _rare_item, "near-equal policies": _near_equal}


def _robustness(setting: str, seed: int, folder: Path) -> Part:
    world = World.draw(np.random.default_rng([seed, 77]), 0.3, 0.8)
    model = np.full_like(world.reward, 0.6) if setting in ("model wrong", "both wrong") else world.reward
    world = replace(world, model=model)
    unread = world.logger.mean(axis=0)  # the logger's shares of items, as if it had not looked at the request
    errors, held = [], []
    for seed_of_log in range(WORLDS):
        log = world.log(np.random.default_rng([seed, seed_of_log, 78]), 2000)
        if setting in ("propensities wrong", "both wrong"):
            log["propensity"] = unread[log["item_id"]]
        value = policy_value(pl.DataFrame(log), "e", "dr", _MODEL)
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
        found = policy_value(logged, "uniform", name, model, items=items, context=_KNOWN, seed=seed, **fields)
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
        *_KNOWN[1:],
    )


COVERAGE = Row(
    name="policy-coverage",
    protocol=f"{WORLDS} planted worlds per cell ({_CONTEXTS} contexts x {_ITEMS} items, policies drawn at random), "
    "95 % intervals; a cell's reliable worlds, how many of them cover the truth, and how many of the flagged; "
    "rare item: a tenth of the requests needs an item logged with probability 0.01; near-equal policies: they "
    "differ by an item logged with probability 0.05 and earn the same, so 2.5 % of differences lie above 0",
    parts={
        **{f"{overlap}, n {n}": (0,) for overlap in _OVERLAPS for n in _SIZES},
        "good, n 5000, users": (0,),
        "fair, n 20000, users": (0,),
        **{f"rare item, n {n}": (0,) for n in (2000, 20_000, 100_000)},
        **{f"near-equal policies, n {n}": (0,) for n in (20_000, 100_000)},
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
