"""Histories cut into windows, and windows put together into batches of similar length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from equipoise.models.histories import Histories
from equipoise.models.offset import Offset

Ints = NDArray[np.int64]

_T = TypeVar("_T", np.int64, np.float32)

_ROUND = 8  # widths of batches are multiples of this: few shapes, for which kernels are compiled once each
_JITTER = 8.0  # lengths are blurred by so much before sorting, so that neighbours in a batch change


@dataclass(frozen=True)
class Tokens:
    """Histories as one flat row of tokens; each begins with the start token.

    A token is an item's catalogue row, or `items` for the start, or `items + 1 + q` for query `q`. Steps
    with an item that the catalogue does not hold, and searches that cannot be embedded, are left out.

    Attributes:
        starts: Row `u` owns `starts[u]:starts[u + 1]`, never empty.
        tokens: int64.
        weights: Weight of the event behind each token, float32.
        periods: Period of the offset in which that event was, int64.
        items: Number of items of the catalogue.
    """

    starts: Ints
    tokens: Ints
    weights: NDArray[np.float32]
    periods: Ints
    items: int

    @classmethod
    def of(cls, histories: Histories, items: int, queries: bool, offset: Offset | None = None) -> Tokens:
        """The tokens of histories.

        Args:
            histories: One row per user.
            items: Number of items of the catalogue.
            queries: Whether searches can be embedded.
            offset: Whose periods; None for one period.
        """
        token = np.where(histories.items >= 0, histories.items, items + 1 + histories.queries)
        kept = (histories.items >= 0) | (queries & (histories.queries >= 0))
        owner = np.repeat(np.arange(len(histories)), np.diff(histories.starts))[kept]
        sizes = np.bincount(owner, minlength=len(histories)) + 1
        starts = np.concatenate([[0], np.cumsum(sizes)])
        tokens = np.full(starts[-1], items, dtype=np.int64)
        weights = np.ones(starts[-1], dtype=np.float32)
        periods = np.zeros(starts[-1], dtype=np.int64)
        places = np.ones(starts[-1], dtype=bool)
        places[starts[:-1]] = False
        tokens[places], weights[places] = token[kept], histories.weights[kept]
        if offset is not None:
            periods[places] = offset.periods(histories.times[kept])
        return cls(starts, tokens, weights, periods, items)

    def last(self, rows: Ints, length: int) -> tuple[Ints, Ints]:
        """The last `length` tokens of rows, filled up on the right with -1, and how many each has."""
        begin = np.maximum(self.starts[rows], self.starts[rows + 1] - length)
        sizes = self.starts[rows + 1] - begin
        return _table(self.tokens, begin, sizes, _width(sizes, length), -1), sizes

    @property
    def lengths(self) -> Ints:
        """Tokens per row."""
        return np.diff(self.starts)


@dataclass(frozen=True)
class Batch:
    """Windows side by side, filled up on the right.

    Attributes:
        users: Row of each window's user, shape (windows,).
        tokens: Inputs, shape (windows, width); -1 fills up.
        targets: The item after each input, shape (windows, width); -1 where a search follows, or nothing.
        weights: Weight of each target's event, shape (windows, width).
        periods: Period of the offset in which that event was, shape (windows, width).
    """

    users: Ints
    tokens: Ints
    targets: Ints
    weights: NDArray[np.float32]
    periods: Ints


def batches(tokens: Tokens, length: int, budget: int, rng: np.random.Generator) -> list[Batch]:
    """All of the histories in windows of at most `length` inputs, in a random order of batches.

    Long histories are cut at a random place, anew in each epoch: every event is a target exactly once per
    epoch, with changing amounts of context.

    Args:
        tokens: Histories.
        length: Longest window.
        budget: Places (windows x width) per batch.
        rng: Generator of the epoch.
    """
    users, begin, sizes = _windows(tokens, length, rng)
    order = np.argsort(sizes + rng.random(len(sizes)) * _JITTER, kind="stable")
    groups, first = [], 0
    while first < len(order):
        # Sizes rise but for the jitter, so that the widest of a generous guess bounds the batch's width.
        most = max(1, budget // int(sizes[order[first]]))
        width = _width(sizes[order[first : first + most]], length)
        last = first + max(1, min(most, budget // width))
        groups.append(order[first:last])
        first = last
    places = [groups[place] for place in rng.permutation(len(groups))]
    return [_batch(tokens, users[rows], begin[rows], sizes[rows], length) for rows in places]


def _windows(tokens: Tokens, length: int, rng: np.random.Generator) -> tuple[Ints, Ints, Ints]:
    """User, first token and number of inputs of each window."""
    inputs = tokens.lengths - 1
    tail = np.where(inputs > length, rng.integers(1, length + 1, len(inputs)), inputs)
    pieces = np.where(inputs > 0, 1 + -(-(inputs - tail) // length), 0)
    users = np.repeat(np.arange(len(inputs)), pieces)
    piece = np.arange(len(users)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    begin = inputs[users] - tail[users] - piece * length
    end = np.where(piece == 0, inputs[users], begin + length)
    begin = np.maximum(begin, 0)
    return users, tokens.starts[:-1][users] + begin, end - begin


def _batch(tokens: Tokens, users: Ints, begin: Ints, sizes: Ints, length: int) -> Batch:
    width = _width(sizes, length)
    targets = _table(tokens.tokens, begin + 1, sizes, width, -1)
    return Batch(
        users,
        _table(tokens.tokens, begin, sizes, width, -1),
        np.where(targets < tokens.items, targets, -1),
        _table(tokens.weights, begin + 1, sizes, width, 0),
        _table(tokens.periods, begin + 1, sizes, width, 0),
    )


def _width(sizes: Ints, length: int) -> int:
    return min(length, -(-int(sizes.max(initial=1)) // _ROUND) * _ROUND)


def _table(flat: NDArray[_T], begin: Ints, sizes: Ints, width: int, filler: float) -> NDArray[_T]:
    place = np.arange(width)
    inside = place < sizes[:, None]
    return np.where(inside, flat[np.where(inside, begin[:, None] + place, 0)], flat.dtype.type(filler))
