"""The one protocol of all models: a configured `Recommender` is fitted into a `Fitted`, which recommends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.component import Component, Registry, Runtime
from equipoise.data import Dataset, to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.calibration import Calibration
from equipoise.models.candidates import Candidates
from equipoise.models.histories import Catalogue, Histories, locate
from equipoise.models.ranking import top_k
from equipoise.models.training import Training
from equipoise.progress import track

Scores = NDArray[np.float32]

_CALIBRATION_USERS = 4096  # more do not move the curve, and cost a pass over the catalogue each


class Recommender(Component, ABC):
    """A model's hyper-parameters, and how to fit it."""

    @classmethod
    @abstractmethod
    def fitted(cls) -> type[Fitted]:
        """The class of what `fit` returns."""

    @abstractmethod
    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> Fitted:
        """Fit to `data`.

        Args:
            data: Training events, with users and items.
            valid: Held-out events for early stopping; never trained on.
            vectors: Item vectors, for models that read texts.
            training: Per-event weights, extra losses, heads: what a correction hands over.
            runtime: Seed, threads, device.
        """


@dataclass(frozen=True)
class Saved:
    """What a fitted model is built from again: the fields all models share, and its own arrays, vectors and parts."""

    config: Any
    catalogue: Catalogue
    histories: Histories
    calibration: Calibration | None
    arrays: Mapping[str, NDArray[Any]]
    vectors: Vectors | None
    parts: Mapping[str, Fitted]

    @property
    def shared(self) -> dict[str, Any]:
        """The fields of `Fitted`, as keyword arguments."""
        return {name: getattr(self, name) for name in ("config", "catalogue", "histories", "calibration")}


@dataclass(frozen=True, kw_only=True)
class Fitted(ABC):
    """A fitted recommender: answers for users it was trained on, and for histories it never saw.

    Attributes:
        config: The component that was fitted.
        catalogue: Ids the model knows.
        histories: What each user of the catalogue did so far, as `recommend` takes it; `observe` extends it.
        calibration: Score to probability; None until `calibrate`.
    """

    config: Recommender
    catalogue: Catalogue
    histories: Histories = field(repr=False)
    calibration: Calibration | None = None

    # What each model supplies -------------------------------------------------------------------------------------

    @abstractmethod
    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Scores of all items of the catalogue.

        Args:
            users: Catalogue row per history, -1 for a user never trained on (then only the history counts).
            histories: The pasts, one row per user.

        Returns:
            Finite float32 of shape (len(users), number of items); higher is better; cold items included.
        """

    @abstractmethod
    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Everything learned, by name, as `restore` takes it back."""

    @classmethod
    @abstractmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""

    @property
    def vectors(self) -> Vectors | None:
        """The item vectors the model reads, with their encoder, to be saved beside it; None where it reads none."""
        return None

    @property
    def parts(self) -> Mapping[str, Fitted]:
        """Fitted models that this one is made of, to be saved beside it."""
        return {}

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Scores | None:
        """Vectors of users, where the model has them."""
        return None

    def item_vectors(self) -> Scores | None:
        """Vectors of all items, where the model has them."""
        return None

    # What all models share ----------------------------------------------------------------------------------------

    def recommend(
        self,
        users: Sequence[Any] | pl.Series,
        k: int = 10,
        exclude_seen: bool = True,
        candidates: Any = None,
        min_probability: float | None = None,
        runtime: Runtime | None = None,
    ) -> pl.DataFrame:
        """The best `k` items for each user.

        Args:
            users: User ids; one the model never saw is answered as a user without a history.
            k: Length of the lists, at least 1.
            exclude_seen: Whether items of the user's history are left out.
            candidates: None for the whole catalogue; one list of item ids for all; or a frame of `user_id`, `item_id`.
            min_probability: Leave out what is less probable; needs a calibrated model.
            runtime: Users per block, progress.

        Returns:
            Frame of `user_id`, `item_id`, `rank` (from 1), `score`, `probability` (null when not calibrated), `cold`.
            Equal scores stand in the order of the item ids.

        Raises:
            ModelError: if scores are not finite, `k` is below 1, or a threshold is asked of an uncalibrated model.
        """
        wanted = (
            users
            if isinstance(users, pl.Series)
            else pl.Series(v.USER, list(users), dtype=None if len(users) else self.catalogue.users.dtype)
        )
        rows = locate(self.catalogue.users, wanted)
        return self._recommend(
            wanted.alias(v.USER), rows, None, k, exclude_seen, candidates, min_probability, runtime
        )

    def recommend_from(
        self,
        history: Sequence[Any] | Any,
        k: int = 10,
        exclude_seen: bool = True,
        candidates: Any = None,
        min_probability: float | None = None,
    ) -> pl.DataFrame:
        """The best `k` items after a history that was never trained on.

        Args:
            history: Item ids, oldest first; or a frame of `item_id` and, where known, `timestamp`, `event`, `query`.
            k: See `recommend`; so are the other arguments and what is returned (`user_id` is null).
        """
        if isinstance(history, Sequence) or isinstance(history, np.ndarray):
            dtype = self.catalogue.items.dtype
            frame = pl.DataFrame(
                {
                    v.ITEM: pl.Series(list(history)).cast(dtype, strict=False)
                    if len(history)
                    else pl.Series([], dtype=dtype)
                }
            )
        else:
            frame = to_polars(history)
        frame = frame.with_columns(pl.lit(0).alias(v.USER))
        past = Histories.of(frame, self.catalogue, users=pl.Series(v.USER, [0]))
        nobody = pl.Series(v.USER, [None], dtype=self.catalogue.users.dtype)
        return self._recommend(
            nobody, np.array([-1]), past, k, exclude_seen, candidates, min_probability, None
        )

    def observe(self, events: Any) -> Self:
        """The same model with longer histories: what users did since, as input and as seen items, without training.

        Events of users or items that the catalogue does not hold are left out. The new events stand after the old ones.
        """
        later = Histories.of(to_polars(events), self.catalogue)
        return replace(self, histories=self.histories.followed_by(later))

    def calibrate(self, valid: Dataset, runtime: Runtime | None = None) -> Self:
        """The same model with probabilities, calibrated on events it was not trained on.

        The probability is that an item is among the held-out events of a user who has any.

        Raises:
            ModelError: if the held-out events hold fewer than five pairs of known users and items.
        """
        options = runtime or Runtime()
        held_out = Histories.of(valid.positives, self.catalogue)
        rows = np.flatnonzero(np.diff(held_out.starts) > 0)
        if len(rows) > _CALIBRATION_USERS:
            rows = np.sort(options.rng("calibration").choice(rows, _CALIBRATION_USERS, replace=False))

        def pairs() -> Iterator[tuple[Scores, NDArray[np.bool_], NDArray[np.bool_]]]:
            for part, past, scores in self.blocks(rows, options):
                eligible = ~_marked(past, scores.shape)
                yield scores, eligible, _marked(held_out.take(rows[part]), scores.shape) & eligible

        return replace(self, calibration=Calibration.fit(pairs()))

    def blocks(
        self, rows: NDArray[np.int64], runtime: Runtime | None = None, past: Histories | None = None
    ) -> Iterator[tuple[slice, Histories, Scores]]:
        """Scores in blocks, so that users x items never exists at once.

        Args:
            rows: Catalogue rows of users, -1 for one never trained on.
            runtime: Users per block, progress.
            past: Histories, one per entry of `rows`, in place of what the model knows of these users.

        Raises:
            ModelError: if a score is not finite.
        """
        options = runtime or Runtime()
        starts = range(0, len(rows), options.batch_size)
        for start in track(starts, "scoring users", show=options.progress):
            part = slice(start, min(start + options.batch_size, len(rows)))
            histories = (
                self.histories.take(rows[part])
                if past is None
                else past.take(np.arange(part.start, part.stop))
            )
            scores = self.score(rows[part], histories)
            if not np.isfinite(scores).all():
                raise ModelError(
                    f"The model '{self.config.name}' gave scores that are not finite",
                    where=f"users {part.start} to {part.stop}",
                    todo="Lower the learning rate or raise the regularisation.",
                )
            yield part, histories, scores

    def _recommend(
        self,
        users: pl.Series,
        rows: NDArray[np.int64],
        past: Histories | None,
        k: int,
        exclude_seen: bool,
        candidates: Any,
        min_probability: float | None,
        runtime: Runtime | None,
    ) -> pl.DataFrame:
        if k < 1:
            raise ModelError(f"A list of {k} items was asked for", todo="Ask for k of at least 1.")
        if min_probability is not None and self.calibration is None:
            raise ModelError(
                "The model gives no probabilities", todo="Calibrate it first, or leave out min_probability."
            )
        allowed = Candidates.of(candidates, self.catalogue, users)
        lists = []
        for part, histories, scores in self.blocks(rows, runtime, past):
            lowest = scores.min(axis=1, initial=0.0)
            ranked = scores
            if exclude_seen:
                ranked = np.where(_marked(histories, scores.shape), -np.inf, ranked)
            if not allowed.everything:
                ranked = np.where(allowed.mask(part, scores.shape[1]), ranked, -np.inf)
            lists.append(self._lists(ranked, k, part.start))
            lists.append(allowed.unknown(part, lowest))
        table = pl.concat(lists).sort(v.USER, maintain_order=True)
        table = table.with_columns(pl.int_range(1, pl.len() + 1).over(v.USER).alias(v.RANK)).filter(
            pl.col(v.RANK) <= k
        )
        unseen = rows < 0
        seen_counts = self.catalogue.user_counts
        unseen |= ~np.r_[seen_counts > 0, False][rows]
        owner = table[v.USER].to_numpy()
        probability = None if self.calibration is None else self.calibration(table[v.SCORE].to_numpy())
        table = table.with_columns(
            users.gather(owner).alias(v.USER),
            pl.Series(
                v.PROBABILITY,
                probability if probability is not None else [None] * len(table),
                dtype=pl.Float64,
            ),
            pl.col(v.COLD) | pl.Series(unseen[owner]),
        ).select(v.USER, v.ITEM, v.RANK, v.SCORE, v.PROBABILITY, v.COLD)
        return table if min_probability is None else table.filter(pl.col(v.PROBABILITY) >= min_probability)

    def _lists(self, ranked: Scores, k: int, offset: int) -> pl.DataFrame:
        best = top_k(ranked, k)
        value = np.take_along_axis(ranked, best, axis=1)
        row, place = np.nonzero(np.isfinite(value))
        items = best[row, place]
        return pl.DataFrame(
            {
                v.USER: row + offset,
                v.ITEM: self.catalogue.items.gather(items),
                v.SCORE: value[row, place].astype(np.float64),
                v.COLD: self.catalogue.item_counts[items] == 0,
            }
        )


def _marked(histories: Histories, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """True where a history holds the item."""
    marked = np.zeros(shape, dtype=bool)
    known = histories.items >= 0
    marked[np.repeat(np.arange(len(histories)), np.diff(histories.starts))[known], histories.items[known]] = (
        True
    )
    return marked
