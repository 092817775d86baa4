"""The one protocol of all models: a configured `Recommender` is fitted into a `Fitted`, which recommends."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.component import Component, Runtime
from equipoise.data import Dataset, to_polars
from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.calibration import Calibration
from equipoise.models.histories import Catalogue, Histories, locate, strangers
from equipoise.models.lists import Limits, Request, recommended
from equipoise.models.training import Training
from equipoise.progress import track

Scores = NDArray[np.float32]

_CALIBRATION_USERS = 4096  # more do not move the curve, and cost a pass over the catalogue each


class Recommender(Component, ABC):
    """A model's hyper-parameters, and how to fit it."""

    takes: ClassVar[frozenset[str]] = frozenset({"weights"})
    """The fields of `Training` that it makes use of; it refuses all others."""

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

        Raises:
            ModelError: if there is nothing to learn from, or the weights do not fit the events.
        """

    def begin(self, data: Dataset, training: Training | None) -> tuple[Catalogue, Histories]:
        """What every fit begins with: ids, and each user's history with the weight of each event.

        Raises:
            ModelError: if no event tells of taste; if the weights are not finite, at least 0 and one per event, or
                are all 0.
        """
        if not len(data.positives):
            raise ModelError(
                "There is no event to learn from",
                where=f"{len(data.events)} events, all of them impressions or searches",
                todo="Give events such as clicks, views, ratings or purchases.",
            )
        if refused := sorted((training or Training()).used - self.takes - {"checkpoint"}):
            raise ModelError(
                f"The model '{self.name}' cannot take {refused[0].replace('_', ' ')} from a correction",
                where=f"it takes {', '.join(sorted(self.takes))}",
                todo="Choose a model that is trained by gradient descent (mf, sequence), or another correction.",
            )
        weights = None if training is None else training.weights
        if weights is not None and np.shape(weights) != (len(data.events),):
            raise ModelError(f"Weights of shape {np.shape(weights)} do not fit {len(data.events)} events")
        if weights is not None and (bad := int((~(np.isfinite(weights) & (weights >= 0))).sum())):
            raise ModelError(
                "Weights must be finite and at least 0", where=f"{bad} of {len(weights)} are not"
            )
        if v.SAMPLE_WEIGHT in data.events.columns:
            own = _sample_weights(data.events)
            weights = own if weights is None else own * weights
        catalogue = Catalogue.of(data)
        histories = Histories.of(data.events, catalogue, weights)
        if not histories.weights[histories.items >= 0].any():
            raise ModelError(
                "All weights are 0, so that there is nothing to learn from",
                where=f"{len(data.positives)} events of taste",
                todo=f"Look at the column '{v.SAMPLE_WEIGHT}' and at what corrections weigh by.",
            )
        return catalogue, histories


def _sample_weights(events: pl.DataFrame) -> NDArray[np.float32]:
    """The column `sample_weight`, checked."""
    own = events[v.SAMPLE_WEIGHT].cast(pl.Float32, strict=False).fill_null(float("nan")).to_numpy()
    if bad := int((~(np.isfinite(own) & (own >= 0))).sum()):
        raise ModelError(
            f"'{v.SAMPLE_WEIGHT}' must be a number of at least 0", where=f"{bad} of {len(own)} rows are not"
        )
    return np.asarray(own)


@dataclass(frozen=True)
class Saved:
    """What a fitted model is built from again: the fields all models share, and what is its own."""

    config: Any
    catalogue: Catalogue
    guests: pl.Series
    histories: Histories
    calibration: Calibration | None
    arrays: Mapping[str, NDArray[Any]]
    vectors: Vectors | None
    parts: Mapping[str, Fitted]

    @property
    def shared(self) -> dict[str, Any]:
        """The fields of `Fitted`, as keyword arguments."""
        fields = ("config", "catalogue", "guests", "histories", "calibration")
        return {name: getattr(self, name) for name in fields}


@dataclass(frozen=True, kw_only=True)
class Fitted(ABC):
    """A fitted recommender: answers for users it was trained on, and for histories it never saw.

    Attributes:
        config: The component that was fitted.
        catalogue: Ids the model knows.
        histories: What each user of the catalogue, and after them each guest, did so far, as `recommend` takes
            it; `observe` extends it. Steps keep the weights they were trained with.
        guests: Users outside the catalogue whom `observe` told of.
        calibration: Score to probability; None until `calibrate`.
    """

    config: Recommender
    catalogue: Catalogue
    histories: Histories = field(repr=False)
    guests: pl.Series = field(default_factory=lambda: pl.Series(v.USER, [], dtype=pl.Null), repr=False)
    calibration: Calibration | None = None

    # What each model supplies

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
        """The item vectors the model reads, with their encoder, saved beside it; None where it reads none."""
        return None

    @property
    def scores_cold_items(self) -> bool:
        """Whether an item never interacted with gets a score of its own, and not only the lowest."""
        return False

    @property
    def judged(self) -> NDArray[np.bool_]:
        """Which items of the catalogue get a score of their own, shape (items,)."""
        return (self.catalogue.item_counts > 0) | self.scores_cold_items

    @property
    def parts(self) -> Mapping[str, Fitted]:
        """Fitted models that this one is made of, to be saved beside it."""
        return {}

    @property
    def most_lists(self) -> int | None:
        """For how many lists of one call it does all it can, because each of them is costly; None for all."""
        limits = [part.most_lists for part in self.parts.values()]
        return min((limit for limit in limits if limit is not None), default=None)

    @contextmanager
    def call(self, rows: NDArray[np.int64], runtime: Runtime) -> Iterator[bool]:
        """One call for many lists: inside the block they are scored in this order, in as many steps as it takes.

        Args:
            rows: As for `blocks`.
            runtime: Seed of a draw among them, progress.

        Yields:
            Whether progress is shown list by list.
        """
        with ExitStack() as stack:
            shown = [stack.enter_context(part.call(rows, runtime)) for part in self.parts.values()]
            yield any(shown)

    @property
    def account(self) -> tuple[dict[str, Any], ...]:
        """What became of the images and numbers that it read itself when it was fitted, in plain values; not saved."""
        return tuple(told for part in self.parts.values() for told in part.account)

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Scores | None:
        """Vectors of users, where the model has them."""
        return None

    def item_vectors(self) -> Scores | None:
        """Vectors of all items, where the model has them."""
        return None

    # What all models share

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
            users: User ids; one the model never heard of is answered as a user without a history.
            k: Length of the lists, at least 1.
            exclude_seen: Whether items of the user's history are left out.
            candidates: None for the whole catalogue; one list of item ids for all; or a frame of `user_id`,
                `item_id`.
            min_probability: Leave out what is less probable; needs a calibrated model.
            runtime: Users per block, progress.

        Returns:
            Frame of `user_id`, `item_id`, `rank` (from 1), `score`, `probability` (null when not calibrated),
            `cold`. Equal scores stand in the order of the item ids.

        Raises:
            ModelError: if scores are not finite, `k` is below 1, or a threshold is asked of an uncalibrated
                model.
        """
        empty = None if len(users) else self.catalogue.users.dtype
        wanted = users if isinstance(users, pl.Series) else pl.Series(list(users), dtype=empty)
        request = Request(wanted.alias(v.USER), locate(self._known(), wanted))
        return recommended(self, request, Limits(k, exclude_seen, candidates, min_probability), runtime)

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
            history: As `Histories.of_one` takes it: item ids, oldest first, or a frame.
            k: As for `recommend`.
            exclude_seen: As for `recommend`; "seen" is what the history holds.
            candidates: As for `recommend`.
            min_probability: As for `recommend`.

        Returns:
            As for `recommend`, with a null `user_id`.
        """
        past = Histories.of_one(history, self.catalogue)
        request = Request(pl.Series(v.USER, [None], dtype=self.catalogue.users.dtype), np.array([-1]), past)
        return recommended(self, request, Limits(k, exclude_seen, candidates, min_probability), None)

    def observe(self, events: Any) -> Self:
        """The same model with longer histories: what users did since, without training.

        The new events are input, and their items count as seen; items outside the catalogue are left out.
        Events stand in the order of time, as `Histories.followed_by` says. A user whom training never saw is
        answered from these events, and remains cold.
        """
        table, known = to_polars(events), self._known()
        everyone = pl.concat([known, strangers(known, table[v.USER])])
        rows = np.arange(len(everyone))
        past = self.histories.take(np.where(rows < len(known), rows, -1))
        later = Histories.of(table, self.catalogue, users=everyone)
        guests = everyone.slice(len(self.catalogue.users))
        return replace(self, guests=guests, histories=past.followed_by(later))

    def calibrate(self, valid: Dataset, runtime: Runtime | None = None, *, exclude_seen: bool = True) -> Self:
        """The same model with probabilities, calibrated on events it was not trained on.

        The probability is that an item is among the held-out events of a user who has any.

        Args:
            valid: Held-out events; users with none of them do not count.
            runtime: Users per block, seed of the sample of users.
            exclude_seen: Whether items of the user's history are left out, as they are of lists.

        Raises:
            ModelError: if the held-out events hold fewer than five pairs of known users and items.
        """
        options = runtime or Runtime()
        held_out = Histories.of(valid.positives, self.catalogue)
        rows = np.flatnonzero(np.diff(held_out.starts) > 0)
        rows = self.sampled(rows, _CALIBRATION_USERS, options.rng("calibration"))
        n_items = len(self.catalogue.items)
        return replace(
            self,
            calibration=Calibration.fit(
                (scores, ~(past.marked(n_items) & exclude_seen), held_out.take(rows[part]).marked(n_items))
                for part, past, scores in self.blocks(rows, options)
            ),
        )

    def blocks(
        self, rows: NDArray[np.int64], runtime: Runtime | None = None, past: Histories | None = None
    ) -> Iterator[tuple[slice, Histories, Scores]]:
        """Scores in blocks, so that users x items never exists at once.

        Args:
            rows: Rows of `histories`, so that the catalogue's users come first; -1 for a user never heard of.
            runtime: Users per block, progress.
            past: Histories, one per entry of `rows`, in place of what the model knows of these users.

        Raises:
            ModelError: if a score is not finite.
        """
        options = runtime or Runtime()
        trained = np.where(rows < len(self.catalogue.users), rows, -1)
        starts = range(0, len(rows), options.batch_size)
        with self.call(rows, options) as by_list:
            for start in track(starts, "scoring users", show=options.progress and not by_list):
                part = slice(start, min(start + options.batch_size, len(rows)))
                histories = (
                    self.histories.take(rows[part])
                    if past is None
                    else past.take(np.arange(part.start, part.stop))
                )
                scores = self.score(trained[part], histories)
                if not np.isfinite(scores).all():
                    raise ModelError(
                        f"The model '{self.config.name}' gave scores that are not finite",
                        where=f"users {part.start} to {part.stop}",
                        todo="Lower the learning rate or raise the regularisation.",
                    )
                yield part, histories, scores

    def sampled(self, rows: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """At most so many of these rows, drawn to learn something of the model; fewer where each list is costly."""
        limit = min(most, self.most_lists or most)
        return rows if len(rows) <= limit else np.sort(rng.choice(rows, limit, replace=False))

    def _known(self) -> pl.Series:
        """Whose rows `histories` holds."""
        return pl.concat([self.catalogue.users, self.guests.cast(self.catalogue.users.dtype)])
