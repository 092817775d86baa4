"""What a log is measured by when it is held against its twin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from equipoise.worlds.laws import Ints
from equipoise.worlds.twin.record import Record

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measure:
    """One number of a log, and the distance of two logs by it.

    Attributes:
        name: Short name.
        measure: What the number is.
        meaning: What a distance says, in plain words.
        value: The number of a log.
        sample: What is compared as a whole distribution; None where the number itself is.
    """

    name: str
    measure: str
    meaning: str
    value: Callable[[Record], float]
    sample: Callable[[Record], Floats] | None = None

    @property
    def kind(self) -> str:
        """How the distance is taken."""
        return "difference" if self.sample is None else "kolmogorov-smirnov"

    def distance(self, one: Record, other: Record) -> float:
        """Largest difference of the distribution functions, in 0..1, or the absolute difference of the numbers."""
        if self.sample is None:
            return abs(self.value(one) - self.value(other))
        return kolmogorov_smirnov(self.sample(one), self.sample(other))


def kolmogorov_smirnov(one: Floats, other: Floats) -> float:
    """Largest difference of two empirical distribution functions; 1 where one of them is empty."""
    if not len(one) or not len(other):
        return float(len(one) != len(other))
    one, other = np.sort(one), np.sort(other)
    at = np.concatenate([one, other])
    return float(
        np.abs(
            np.searchsorted(one, at, "right") / len(one) - np.searchsorted(other, at, "right") / len(other)
        ).max()
    )


def measures(log: Record, days: int, groups: dict[str, Ints], names: dict[str, list[str]]) -> list[Measure]:
    """What this kind of log can be measured by.

    Args:
        log: The log: whether it has times and impressions decides.
        days: Days of the twin, into which the log's time is divided too.
        groups: Group of each user as a number, by sensitive column.
        names: Names of the groups.
    """
    found = [
        Measure(
            "activity", "events of taste per user", "Whether users do as much as in the log.",
            lambda r: float(r.by_user.mean()), lambda r: r.by_user.astype(np.float64),
        ),
        Measure(
            "popularity", "events of taste per item", "Whether items are taken as unevenly as in the log.",
            lambda r: float(np.median(r.by_item)), lambda r: r.by_item.astype(np.float64),
        ),
        Measure(
            "popularity_gini", "Gini index of events per item", "Whether attention is as concentrated.",
            lambda r: gini(r.by_item),
        ),
        Measure(
            "top_share", "share of events on the most popular tenth of items", "Whether the hits are as big.",
            lambda r: top_share(r.by_item),
        ),
        Measure(
            "repeats", "share of events on an item the user had before", "Whether users come back to items.",
            lambda r: r.repeated,
        ),
    ]  # fmt: skip
    if log.ordered:
        found.append(
            Measure(
                "succession", "how often two successions of items agree, in times of chance (logarithm)",
                "Whether what comes next can be told from what came last. A twin's users have no memory: what "
                "follows goes by taste and popularity alone.", succession,
            )
        )  # fmt: skip
    if len(log.at) and np.ptp(log.at) > 0:
        found += _of_time(days)
    if log.shown is not None:
        found += _of_slates(int(np.quantile(log.shown.lengths, 0.95)))
    for column, group in groups.items():
        found += [_of_group(column, name, group == number) for number, name in enumerate(names[column])]
    return found


def gini(counts: Ints) -> float:
    """Gini index of counts: 0 where all are alike, towards 1 where one has everything."""
    ordered, n = np.sort(counts).astype(np.float64), len(counts)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / max(n * ordered.sum(), 1e-12))


def top_share(counts: Ints, share: float = 0.1) -> float:
    """Share of the total that the largest counts have."""
    most = max(int(np.ceil(share * len(counts))), 1)
    return float(np.sort(counts)[-most:].sum() / max(counts.sum(), 1))


def succession(log: Record) -> float:
    """Log of the chance that two successions are the same pair of items, over that of items drawn by popularity."""
    follows = log.user[1:] == log.user[:-1]
    first, second = log.item[:-1][follows], log.item[1:][follows]
    n = len(first)
    if n < 2:
        return 0.0
    counts = np.unique(first * log.shape[1] + second, return_counts=True)[1].astype(np.float64)
    agree = (counts * (counts - 1)).sum() / (n * (n - 1))
    chance = np.square(np.bincount(first) / n).sum() * np.square(np.bincount(second) / n).sum()
    return float(np.log(max(agree, 0.5 / (n * (n - 1))) / chance))


def _of_time(days: int) -> list[Measure]:
    def active(log: Record) -> tuple[Ints, Ints]:
        start, end = log.span
        day = np.minimum((log.at - start) / max(end - start, 1e-9) * days, days - 1).astype(np.int64)
        pairs = np.unique(log.user * days + day)
        return pairs // days, pairs % days

    def visits(log: Record) -> Floats:
        return np.bincount(active(log)[0], minlength=log.shape[0]).astype(np.float64)

    def pauses(log: Record) -> Floats:
        user, day = active(log)
        return np.asarray(np.diff(day)[np.diff(user) == 0], dtype=np.float64)

    def times(log: Record) -> Floats:
        start, end = log.span
        return np.asarray((log.at - start) / max(end - start, 1e-9))

    def mean(values: Floats) -> float:
        return float(values.mean()) if len(values) else 0.0

    return [
        Measure(
            "active_days", "days with an event, per user", "Whether users come as often.",
            lambda r: mean(visits(r)), visits,
        ),
        Measure(
            "pauses", "days between one active day of a user and the next", "Whether users come as regularly.",
            lambda r: mean(pauses(r)), pauses,
        ),
        Measure(
            "calendar", "when events happen, as a share of the log's span", "Whether busy times are the same.",
            lambda r: mean(times(r)), times,
        ),
    ]  # fmt: skip


def _of_slates(length: int) -> list[Measure]:
    def rate(log: Record, place: int) -> float:
        assert log.shown is not None
        there = log.shown.place == place
        return float(log.shown.clicked[there].mean()) if there.any() else 0.0

    found = [
        Measure(
            "exposure", "impressions per item", "Whether the logger shows items as unevenly.",
            lambda r: float(np.median(_impressions(r))), lambda r: _impressions(r).astype(np.float64),
        ),
        Measure(
            "slate_length", "places of a slate", "Whether slates are as long.",
            lambda r: float(r.shown.lengths.mean()) if r.shown is not None else 0.0,
            lambda r: r.shown.lengths.astype(np.float64) if r.shown is not None else np.empty(0),
        ),
    ]  # fmt: skip
    places = sorted({1, 2, 3, 5, length} & set(range(1, length + 1)))
    for place in places:
        found.append(
            Measure(
                f"click_rate_{place}", f"clicks per impression at place {place}",
                "Whether this place is looked at and liked as much.", lambda r, p=place: rate(r, p),  # type: ignore[misc]
            )
        )  # fmt: skip
    return found


def _impressions(log: Record) -> Ints:
    assert log.shown is not None
    return np.bincount(log.shown.item, minlength=log.shape[1])


def _of_group(column: str, name: str, member: NDArray[np.bool_]) -> Measure:
    def value(log: Record) -> float:
        mine = member[log.rows]
        return float(log.by_user[mine].mean()) if mine.any() else 0.0

    return Measure(
        f"activity_of_{column}={name}", f"events of taste per user with {column} = {name}",
        "Whether the group does as much as in the log.", value,
    )  # fmt: skip
