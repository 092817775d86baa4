"""Which estimators to believe: each judged on a world whose policies' values and propensities are known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import expit

from equipoise.causal.off_policy import policy_value
from equipoise.causal.propensity import propensities
from equipoise.data import vocabulary as v
from equipoise.data.dataset import positive
from equipoise.errors import EquipoiseError
from equipoise.worlds import World, propensity_error
from equipoise.worlds.twin.continued import Continued

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ESTIMATORS = ("ips", "clipped_ips", "snips", "dm", "dr", "sndr", "switch_dr", "dros")
_MODELS = ("given", "popularity", "logistic", "position")
_ROWS = 60_000  # decisions of a log that are looked at; users beyond that are left out
_FLOOR = 0.1  # share of a candidate that is uniform, so that the logger's support is enough
_PRIOR = 20.0  # impressions as the average, added to each item's


def rank_estimators(world: World, *, seed: int = 0, draws: int = 5) -> list[dict[str, Any]]:
    """Judge estimators of policy values and models of propensities by the truth of a world.

    A decision is a place of a logged slate, given all that stands above it (and, where nobody is shown an item
    twice, all that was shown before). Three policies that were not run are valued from the log: `uniform`,
    `popular` (one ranking for all) and `personal` (the logger's, drawn further towards what each user likes).
    The outcome model of the doubly robust ones knows items and places only.

    Args:
        world: Whose truth.
        seed: Root of the logs.
        draws: Logs of the same world, each with another luck.

    Returns:
        One row per estimator, the smallest error first: `kind` "policy value", `name`, `bias` (mean error),
        `error` (root mean square error, in rewards per decision), `order` (share of pairs of policies ordered
        rightly), `coverage` (share of 95 % intervals that hold the truth; None without one), `refused` (share
        of values it would not give) and `policies` (`policy`, mean `truth`, mean `value`). `naive` takes the
        log's mean reward for every policy. Then one row per propensity model: `kind` "propensity", `name`,
        `against` (what it is held to), `weight_rmse` and `log_correlation` as in `propensity_error`, and
        `reason` where it cannot be fitted, in words.
    """
    candidates = _candidates(world)
    found = [
        outcome
        for draw in range(draws)
        for outcome in _values(_redrawn(world, seed * 1_000 + draw + 1), candidates, draw)
    ]
    names = list(dict.fromkeys(one.estimator for one in found))
    rows = [_judged(name, [one for one in found if one.estimator == name]) for name in names]
    rows.sort(key=lambda row: (row["error"] is None, row["error"] or 0.0))
    return [*rows, *(_propensity(world, name, seed) for name in _MODELS)]


@dataclass(frozen=True)
class _Outcome:
    """One value of one estimator."""

    estimator: str
    policy: str
    draw: int
    truth: float
    value: float | None
    low: float | None = None
    high: float | None = None


def _candidates(world: World) -> dict[str, NDArray[np.float32]]:
    """Policies as distributions over the catalogue, (users, items)."""
    weights, appetite = world.policy.weights, world.laws.appetite
    n_items = weights.shape[1]
    popular = np.broadcast_to(weights.mean(axis=0), weights.shape)
    liked = expit(appetite)
    personal = weights * (liked / liked.mean(axis=1, keepdims=True))
    made = {"uniform": np.full(weights.shape, 1 / n_items, dtype=np.float32)}
    for name, shares in (("popular", popular), ("personal", personal)):
        made[name] = ((1 - _FLOOR) * shares / shares.sum(axis=1, keepdims=True) + _FLOOR / n_items).astype(
            np.float32
        )
    return made


def _redrawn(world: World, seed: int) -> World:
    """The same world with another luck."""
    policy = world.policy
    if isinstance(policy, Continued):
        policy = replace(policy, seed=seed)
    return replace(world, seed=seed, policy=policy)


def _values(world: World, candidates: dict[str, NDArray[np.float32]], draw: int) -> list[_Outcome]:
    log = _Decisions.of(world)
    found = []
    for name, policy in candidates.items():
        table, truth = log.seen_from(policy)
        found.append(_Outcome("naive", name, draw, truth, float(table[v.REWARD].mean())))  # type: ignore[arg-type]
        for estimator in _ESTIMATORS:
            said = policy_value(table, "target_share", estimator, ("logged_value", "target_value"))
            found.append(_Outcome(estimator, name, draw, truth, said.value, said.low, said.high))
    return found


def _judged(name: str, outcomes: list[_Outcome]) -> dict[str, Any]:
    given = [(one.value, one.truth) for one in outcomes if one.value is not None]
    errors = np.array([value - truth for value, truth in given])
    held = [
        one.low <= one.truth <= one.high for one in outcomes if one.low is not None and one.high is not None
    ]
    policies = list(dict.fromkeys(one.policy for one in outcomes))
    return {
        "kind": "policy value",
        "name": name,
        "bias": float(errors.mean()) if len(errors) else None,
        "error": float(np.sqrt(np.square(errors).mean())) if len(errors) else None,
        "order": _order(outcomes),
        "coverage": float(np.mean(held)) if held else None,
        "refused": 1 - len(given) / len(outcomes),
        "policies": [
            {
                "policy": policy,
                "truth": float(np.mean([one.truth for one in outcomes if one.policy == policy])),
                "value": _mean([one.value for one in outcomes if one.policy == policy]),
            }
            for policy in policies
        ],
    }


def _mean(values: list[float | None]) -> float | None:
    given = [value for value in values if value is not None]
    return float(np.mean(given)) if given else None


def _order(outcomes: list[_Outcome]) -> float | None:
    """Share of pairs of policies, within a draw, that are ordered as the truth orders them; ties are wrong."""
    right = []
    for one in outcomes:
        for other in outcomes:
            if one.draw == other.draw and one.truth > other.truth and None not in (one.value, other.value):
                assert one.value is not None
                assert other.value is not None
                right.append(one.value > other.value)
    return float(np.mean(right)) if right else None


@dataclass(frozen=True)
class _Decisions:
    """Places of logged slates, in an order in which all that a place excludes stands before it.

    Attributes:
        world: Whose log.
        table: `user_id`, `item_id`, `reward`, `propensity`.
        user: Row of the users.
        item: Row of the items.
        day: Day.
        place: Place, from 1.
        start: For each row, the first row of its ranking: of the slate, or of the user where slates go on from
            one another.
    """

    world: World
    table: pl.DataFrame
    user: Ints
    item: Ints
    day: Ints
    place: Ints
    start: Ints

    @classmethod
    def of(cls, world: World) -> _Decisions:
        rows = world.located(world.log.filter(pl.col(v.EVENT) == v.IMPRESSION))
        most = max(int(len(world.users) * min(_ROWS / max(len(rows), 1), 1)), 1)
        order = np.random.default_rng([world.seed, 3]).permutation(len(world.users))[:most]
        rows = rows.filter(pl.col("_user").is_in(pl.Series(order).implode())).sort(
            "_user", v.REQUEST, v.POSITION
        )
        user = rows["_user"].to_numpy()
        slate = rows[v.SLATE].rle_id().cast(pl.Int64).to_numpy()
        ranking = slate
        if isinstance(world.policy, Continued):
            rounds = len(world.items) // world.slate_length
            first = np.flatnonzero(np.diff(user, prepend=-1))
            turn = slate - np.repeat(slate[first], np.diff(np.append(first, len(user))))
            ranking = user * (int(turn.max()) + 1) + turn // rounds
        heads = np.flatnonzero(np.diff(ranking, prepend=-1))
        return cls(
            world=world,
            table=rows.select(v.USER, v.ITEM, v.REWARD, v.PROPENSITY),
            user=user,
            item=rows["_item"].to_numpy(),
            day=rows[v.REQUEST].to_numpy() // len(world.users),
            place=rows[v.POSITION].cast(pl.Int64).to_numpy(),
            start=np.repeat(heads, np.diff(np.append(heads, len(user)))),
        )

    def seen_from(self, policy: NDArray[np.float32]) -> tuple[pl.DataFrame, float]:
        """The log with the probabilities of a policy and an outcome model's values, and the policy's true value."""
        share = policy[self.user, self.item].astype(np.float64)
        left = np.maximum(1 - self._before(share), share)
        examined = self.world.examination(self.place)
        rate, by_place = self._outcome_model()
        expected = self._over(np.broadcast_to(rate, policy.shape), policy)
        modelled = (expected - self._before(share * rate[self.item])) / left
        table = self.table.with_columns(
            pl.Series("target_share", share / left),
            pl.Series("logged_value", rate[self.item] * by_place[self.place]),
            pl.Series("target_value", modelled * by_place[self.place]),
        )
        return table, float((self._liked(policy, share) / left * examined).mean())

    def _liked(self, policy: NDArray[np.float32], share: Floats) -> Floats:
        """Preference summed over what is left at each decision, by the policy's shares."""
        found = np.empty(len(self.user))
        own = np.empty(len(self.user))
        still = not self.world.laws.trend.any()
        for day in [0] if still else np.unique(self.day):
            rows = np.arange(len(self.user)) if still else np.flatnonzero(self.day == day)
            preference = self.world.preference_at(int(day))
            total = np.einsum("ui,ui->u", policy, preference, dtype=np.float64)
            found[rows] = total[self.user[rows]]
            own[rows] = preference[self.user[rows], self.item[rows]]
        # What was shown before is taken at its own day's preference: a day apart, the trend moves it next to nothing.
        return found - self._before(share * own)

    def _over(self, values: NDArray[Any], policy: NDArray[np.float32]) -> Floats:
        return np.asarray(np.einsum("ui,ui->u", policy, values, dtype=np.float64)[self.user])

    def _before(self, values: Floats) -> Floats:
        """Sum of the values above each row in its ranking."""
        total = np.concatenate([[0.0], np.cumsum(values)])
        return np.asarray(total[:-1] - total[self.start])

    def _outcome_model(self) -> tuple[Floats, Floats]:
        """Clicks per impression of each item, drawn towards the mean, and the factor of each place."""
        reward = self.table[v.REWARD].to_numpy()
        n_items, mean = len(self.world.items), max(float(reward.mean()), 1e-9)
        shown = np.bincount(self.item, minlength=n_items)
        rate = (np.bincount(self.item, reward, n_items) + _PRIOR * mean) / (shown + _PRIOR)
        expected = np.bincount(self.place, rate[self.item])
        by_place = np.bincount(self.place, reward) / np.maximum(expected, 1e-9)
        return rate, by_place


def _propensity(world: World, name: str, seed: int) -> dict[str, Any]:
    """A propensity model held to the truth, on the events it would weigh."""
    row: dict[str, Any] = {"kind": "propensity", "name": name, "against": "exposure"}
    data = world.dataset()
    try:
        fitted = propensities.build(name).fit(data.events, data.users, data.items, seed=seed)
        events = data.events.with_columns(pl.Series("_said", fitted.values))
        events = events.filter(positive(events) & pl.col(v.PROPENSITY).is_not_null())
        said = events["_said"].to_numpy()
        if name == "position":
            return {
                **row,
                "against": "examination",
                **_examination_error(world, events, said),
                "reason": None,
            }
        return {**row, **propensity_error(world, events, said), "reason": None}
    except EquipoiseError as error:
        return {**row, "weight_rmse": None, "log_correlation": None, "reason": error.paragraph}


def _examination_error(world: World, events: pl.DataFrame, said: Floats) -> dict[str, float]:
    """As `propensity_error`, against the chance that the place is looked at."""
    true = world.examination(events[v.POSITION].to_numpy())
    weights = [1 / p / (1 / p).mean() for p in (said, true)]
    flat = said.std() < 1e-12 or true.std() < 1e-12
    return {
        "weight_rmse": float(np.sqrt(np.square(weights[0] - weights[1]).mean())),
        "log_correlation": 0.0 if flat else float(np.corrcoef(np.log(said), np.log(true))[0, 1]),
    }
