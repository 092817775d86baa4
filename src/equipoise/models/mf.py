"""Matrix factorisation with user and item biases, for ratings or for choices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import MissingExtraError, ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.attributes import Attributes, Choice, attributes
from equipoise.models.fold_in import FoldIn
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.offset import Offset
from equipoise.models.optimised import Optimised, RatingValidation, validation
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Fitted, Saved, Scores
from equipoise.models.training import Filter, Training

if TYPE_CHECKING:
    from equipoise.models.factors import Examples, Factors

Floats = NDArray[np.float32]


class MF(Optimised):
    """Matrix factorisation with biases, trained by gradient descent on weighted events.

    A score is `mean + user bias + item bias + p_u · q_i` (Koren, Bell and Volinsky 2009, equation 4). With the
    rating loss it estimates the rating; with the others, how much likelier than other items an item is. With
    attributes, factors and bias are the sum of the own ones and those of the attributes' values (Kula 2015,
    "Metadata embeddings for user and item cold-start recommendations", section 3), so that what was never met
    in training is scored by its attributes.
    """

    name: ClassVar[str] = "mf"

    width: PositiveInt = 64
    """Factors per user and per item, biases left out."""

    loss: Literal["rating", "softmax", "sampled_softmax", "gbce", "pointwise"] = "softmax"
    """`rating`: squared error of the events' values; `pointwise`: how likely each pair is taken, over a sample of all
    pairs; the others: the event's item against all or `negatives` others."""

    batch_events: PositiveInt = 2048
    """Events per batch."""

    shrinkage: NonNegativeFloat = 0.03
    """Weight of the squared factors of each example's user and item in the loss."""

    bias_shrinkage: NonNegativeFloat = 0.0
    """Weight of the squared biases of each example's user and item in the loss; for ratings, where users gave few."""

    attributes: Choice = "none"
    """Columns of users and items that have factors of their own; `all` for those of at most 50 values, sensitive ones
    left out unless they are named."""

    fold_in: PositiveFloat = 1.0
    """Ridge penalty when a history never trained on is turned into factors."""

    learning_rate: PositiveFloat = 1e-2
    """Highest learning rate of AdamW."""

    @property
    def batch_rows(self) -> int:
        """Events per batch."""
        return self.batch_events

    @classmethod
    def fitted(cls) -> type[FittedMF]:
        """The class of what `fit` returns."""
        return FittedMF

    def network(
        self,
        data: Dataset,
        catalogue: Catalogue,
        events: Examples,
        offset: Offset | None,
        known: tuple[Attributes, Attributes] | None,
        vectors: Vectors | None,
    ) -> Factors:
        """What is trained, at its start; a model that explains events by more than taste brings its own.

        Args:
            data: Training events with users and items.
            catalogue: Their ids.
            events: What batches are made of.
            offset: Added to the scores of items in training.
            known: Attributes of users and of items.
            vectors: Item vectors, for models that read them.
        """
        from equipoise.models.factors import Factors

        return Factors(self, catalogue, events, offset, known)

    def finished(self, model: FittedMF, valid: Dataset | None, runtime: Runtime) -> FittedMF:
        """The model when its vectors stand; a model that chooses something by held-out events does so here.

        Args:
            model: Fitted.
            valid: Held-out events.
            runtime: Seed, threads.
        """
        return model

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedMF:
        """Fit to `data`; see `Recommender.fit`. Searches and texts are not read.

        Raises:
            ModelError: if there is nothing to learn from, or the rating loss finds events without a value or
                is handed an offset.
            MissingExtraError: if torch is not installed.
        """
        try:
            from equipoise.models import loop
            from equipoise.models.factors import examples, seeded
            from equipoise.models.filtered import Filtered
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose=f"The model '{self.name}'") from error
        runtime, training = runtime or Runtime(), training or Training()
        catalogue, histories = self.begin(data, training)
        if self.loss == "rating" and training.offset is not None:
            raise ModelError(
                "The rating loss cannot take an offset: an offset is of log-odds, and a rating has none",
                todo="Choose a loss of choice (softmax, sampled_softmax, gbce, pointwise), or another correction.",
            )
        events = examples(histories, training.offset)
        if self.loss == "rating" and np.isnan(events.values).any():
            raise ModelError(
                "The rating loss needs a value for every event",
                where=f"{int(np.isnan(events.values).sum())} of {len(events.values)} events have none",
                todo="Name the column of values, drop such events, or choose another loss.",
            )
        known = None if self.attributes == "none" else attributes(data, catalogue, self.attributes)
        with seeded(runtime):
            network = self.network(data, catalogue, events, training.offset, known, vectors)
        rule = training.filter
        if rule is not None:
            network.filtered = Filtered(rule.groups(catalogue.users), network.width)
        users, items = network.vectors()
        model = self.fitted()(
            config=self, catalogue=catalogue, histories=histories, user_factors=users, item_factors=items,
            told=network.account,
        )  # fmt: skip
        check = None if valid is None else self._check(valid, catalogue, runtime)
        log = loop.optimise(
            network,
            self,
            lambda rng: events.batches(self.batch_events, rng),
            training=training,
            runtime=runtime,
            validate=None if check is None else lambda: check(model.moved(*network.vectors())),
            refilter=None if rule is None else lambda: network.refilter(rule),
            origin=(catalogue, histories, known, None if valid is None else valid.positives, *network.read),
        )
        trained = model.moved(*network.vectors())
        rows = [[one.loss, one.seconds, one.validation] for one in log]
        trained = replace(trained, log=np.array(rows).reshape(-1, 3)).aligned()
        return self.finished(trained if rule is None else trained.guarded(rule), valid, runtime)

    def _check(
        self, valid: Dataset, catalogue: Catalogue, runtime: Runtime
    ) -> Callable[[FittedMF], float] | None:
        """What held-out events say of a model, more is better; None where they say nothing."""
        if self.loss != "rating":
            return validation(valid, catalogue, self, runtime)
        held_out = RatingValidation(valid, catalogue, self, runtime)
        return (lambda model: held_out(model.rated)) if len(held_out) else None


@dataclass(frozen=True, kw_only=True)
class FittedMF(Fitted):
    """Factors with the biases among them, so that a score is one dot product.

    The width is that of the vectors, which in a model with a network of its own need not be the configured one.

    Attributes:
        user_factors: Shape (users, width + 2): factors, 1, user bias and mean.
        item_factors: Shape (items, width + 2): factors, item bias, 1.
        alignment: Brings ridge solutions for implicit histories to the scale and direction of trained users;
            shape (width, width).
        strangers: Under a filter, the map that vectors of strangers go through: matrix, and offset in the last row,
            shape (width + 3, width + 2); else empty.
        log: One row per epoch: loss, seconds, validation (NDCG@10, or of ratings the negated mean squared error; NaN
            where not measured); shape (epochs, 3).
        told: What became of the images and numbers that were read for it.
    """

    config: MF
    user_factors: Floats = field(repr=False)
    item_factors: Floats = field(repr=False)
    alignment: Floats = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32), repr=False)
    strangers: Floats = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float32), repr=False)
    log: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)), repr=False)
    told: tuple[dict[str, Any], ...] = field(default=(), repr=False)

    @property
    def account(self) -> tuple[dict[str, Any], ...]:
        """What became of the images and numbers that were read for it."""
        return self.told

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Dot products of `user_vectors` and `item_vectors`; without attributes a cold item gets the lowest of the
        row.
        """
        scores = products(self.user_vectors(users, histories), self.item_factors)
        return scores if self.scores_cold_items else lowered(scores, self.catalogue.item_counts == 0)

    def rated(self, users: NDArray[np.int64], items: NDArray[np.int64]) -> Floats:
        """Scores of pairs of trained users and items, from their rows in the catalogue; shape (pairs,)."""
        found: Floats = np.einsum("nw,nw->n", self.user_factors[users], self.item_factors[items])
        return found

    @property
    def width(self) -> int:
        """Factors per user and per item, biases left out."""
        return int(self.item_factors.shape[1]) - 2

    @property
    def scores_cold_items(self) -> bool:
        """Whether attributes say what an item without events is like."""
        return self.config.attributes != "none"

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Floats:
        """Learned vectors of users trained on; of all others, what their history says (`folded`), or their
        attributes where there is none.
        """
        known = users >= 0
        empty = np.diff(histories.starts)[known] == 0
        described = empty & (self.config.attributes != "none")
        known[known] = (self.catalogue.user_counts[users[known]] > 0) | described
        vectors = np.zeros((len(users), self.item_factors.shape[1]), dtype=np.float32)
        vectors[known] = self.user_factors[users[known]]
        strangers = np.flatnonzero(~known)
        vectors[strangers] = self.folded(histories.take(strangers))
        return vectors

    def item_vectors(self) -> Floats:
        """Factors, bias and 1, shape (items, width + 2)."""
        return self.item_factors

    def folded(self, histories: Histories) -> Floats:
        """Vectors of histories that were not trained on, by ridge regression on the items' factors.

        See `FoldIn`. For choices, the solution is brought to where training put users with such histories. Under a
        filter, what comes of it goes through the filter's map for strangers. Without a history, the mean user.

        Returns:
            float32 of shape (rows, width + 2).
        """
        width = self.width
        result = np.tile(self._mean_user, (len(histories), 1))
        for row in range(len(histories)):
            part = slice(histories.starts[row], histories.starts[row + 1])
            items, weights, values = histories.items[part], histories.weights[part], histories.values[part]
            seen = (items >= 0) & (~np.isnan(values) if self.config.loss == "rating" else True)
            if not seen.any():
                continue
            if self.config.loss == "rating":
                solution = self._fold_in.rated(items[seen], weights[seen], values[seen])
                result[row, :width], result[row, width + 1] = solution[:-1], solution[-1]
            else:
                result[row, :width] = self._fold_in.chosen(items[seen], weights[seen]) @ self.alignment
            if self.strangers.size:
                result[row] = result[row] @ self.strangers[:-1] + self.strangers[-1]
        return result

    def moved(self, users: Floats, items: Floats) -> Self:
        """The same model with other factors."""
        return replace(self, user_factors=users, item_factors=items)

    def aligned(self) -> Self:
        """The same model with `alignment` learned from the users it was trained on."""
        width = self.width
        if self.config.loss == "rating":
            return self
        rows = np.flatnonzero(self.catalogue.user_counts > 0)[:_ALIGNED]
        plain = replace(self, alignment=np.eye(width, dtype=np.float32))
        folded = plain.folded(self.histories.take(rows))[:, :width].astype(np.float64)
        gram = folded.T @ folded
        gram[np.diag_indices(width)] += 1e-3 * np.trace(gram) / width + 1e-9
        learned = np.linalg.solve(gram, folded.T @ self.user_factors[rows, :width])
        return replace(self, alignment=learned.astype(np.float32))

    def guarded(self, rule: Filter) -> Self:
        """The same model with `strangers` fitted to users it was trained on, folded in as strangers are."""
        groups = rule.groups(self.catalogue.users)
        rows = np.flatnonzero((self.catalogue.user_counts > 0) & (groups > 0))
        rows = rows[:: max(1, len(rows) // _ALIGNED)]
        matrix, offset = rule.fit_strangers(self.folded(self.histories.take(rows)), groups[rows])
        return replace(self, strangers=np.concatenate([matrix, offset[None]]))

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Factors, alignment, the map of strangers and the log of the training."""
        return {name: getattr(self, name) for name in _ARRAYS}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        learned: dict[str, Any] = {name: saved.arrays[name] for name in _ARRAYS if name in saved.arrays}
        return cls(**saved.shared, **learned)

    @property
    def _mean_user(self) -> Floats:
        trained = self.user_factors[self.catalogue.user_counts > 0]
        return np.asarray(trained.mean(axis=0), dtype=np.float32)

    @cached_property
    def _fold_in(self) -> FoldIn:
        return FoldIn(self.item_factors, float(self._mean_user[self.width + 1]), self.config.fold_in)


_ARRAYS: Sequence[str] = ("user_factors", "item_factors", "alignment", "strangers", "log")
_ALIGNED = 4096  # more users do not move a width x width map
