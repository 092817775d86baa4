"""ESMM: clicks and purchases from shared vectors, learned over all that was shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.errors import MissingExtraError, ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Histories
from equipoise.models.mf import MF, FittedMF
from equipoise.models.optimised import Optimised, validation
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Fitted, Saved, Scores
from equipoise.models.training import Training


class ESMM(Optimised):
    """Entire space multi-task model (Ma, Zhao, Huang, Wang, Hu, Zhu and Gai 2018, "Entire space multi-task model: an
    effective approach for estimating post-click conversion rate", sections 2.2 and 2.3), with factorisations as towers.

    A model of purchases among clicks is learned on what was clicked and asked about everything. Here two tasks are
    learned over all impressions instead: that it is clicked, `pCTR`, and that it is clicked and bought, `pCTCVR = pCTR
    pCVR`. pCVR is never trained by itself, and both towers read the same vectors of users and items, so that clicks,
    of which there are many, teach what purchases alone could not. Each tower weighs the shared factors in its own way
    and has biases of its own.

    pCTCVR is the probability of a purchase if the item is shown, given that all that moves both clicks and what is
    shown is in the vectors. Vectors of users never trained on come from what they took, for each tower as in `mf`.
    """

    name: ClassVar[str] = "esmm"
    takes: ClassVar[frozenset[str]] = frozenset({"losses", "heads", "gradient_transform"})

    width: PositiveInt = 16
    """Shared factors per user and per item."""
    batch_events: PositiveInt = 4096
    """Impressions per batch."""
    shrinkage: NonNegativeFloat = 0.05
    """Weight of the squared factors of each example's user and item in the loss."""
    bias_shrinkage: NonNegativeFloat = 0.001
    """Weight of their squared biases in both towers."""
    recommend_by: Literal["purchase", "conversion"] = "purchase"
    """`purchase`: pCTCVR, how likely it is bought if shown; `conversion`: pCVR, how likely it is, once clicked."""
    fold_in: PositiveFloat = 1.0
    """Ridge penalty when a history never trained on is turned into factors."""
    learning_rate: PositiveFloat = 2e-2
    """Highest learning rate of AdamW."""

    @property
    def batch_rows(self) -> int:
        """Impressions per batch."""
        return self.batch_events

    @classmethod
    def fitted(cls) -> type[FittedESMM]:
        """The class of what `fit` returns."""
        return FittedESMM

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedESMM:
        """Fit to the impressions of `data`; see `Recommender.fit`. Where held-out events hold purchases, training is
        validated on these alone.

        Raises:
            ModelError: if there are no impressions, or none was clicked or bought.
            MissingExtraError: if torch is not installed.
        """
        try:
            from equipoise.models import loop
            from equipoise.models.disentangled.funnel import Funnel, impressions
            from equipoise.models.factors import seeded
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose="The model 'esmm'") from error
        runtime, training = runtime or Runtime(), training or Training()
        catalogue, histories = self.begin(data, training)
        shown = impressions(data, catalogue)
        found = {
            "impression": len(shown.users),
            "click on an impression": shown.clicked.sum(),
            "purchase after an impression": shown.bought.sum(),
        }
        for name, count in found.items():
            if not count:
                raise ModelError(
                    f"The model 'esmm' finds no {name}",
                    where=f"{len(data.events)} events",
                    todo="Give events 'impression', 'click' and 'purchase' that name the same users and items.",
                )
        with seeded(runtime):
            network = Funnel(self, catalogue, shown)
        plain = MF(width=self.width, fold_in=self.fold_in)
        towers = {
            name: FittedMF(
                config=plain, catalogue=catalogue, histories=histories, user_factors=users, item_factors=items
            )
            for name, (users, items) in network.vectors().items()
        }
        model = FittedESMM(config=self, catalogue=catalogue, histories=histories, towers=towers)
        check = None if valid is None else validation(_sold(valid), catalogue, self, runtime)
        log = loop.optimise(
            network,
            self,
            lambda rng: shown.batches(self.batch_events, rng),
            training=training,
            runtime=runtime,
            validate=None if check is None else lambda: check(model.moved(network.vectors())),
            origin=(catalogue, histories, shown.identity, None if valid is None else valid.positives),
        )
        rows = np.array([[one.loss, one.seconds, one.validation] for one in log]).reshape(-1, 3)
        trained = model.moved(network.vectors())
        return replace(
            trained, log=rows, towers={name: one.aligned() for name, one in trained.towers.items()}
        )


def _sold(valid: Dataset) -> Dataset:
    """The purchases of held-out events, or all of these where there are none."""
    events = valid.events
    bought = events.filter(events[v.EVENT] == v.PURCHASE) if v.EVENT in events.columns else events.clear()
    return valid.with_events(bought) if len(bought) else valid


@dataclass(frozen=True, kw_only=True)
class FittedESMM(Fitted):
    """The two towers.

    Attributes:
        towers: Factors of `click` and of `conversion`; their scores are log-odds.
        log: One row per epoch: loss, seconds, validation NDCG@10 (NaN where not measured); shape (epochs, 3).
    """

    config: ESMM
    towers: Mapping[str, FittedMF] = field(repr=False)
    log: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)), repr=False)

    @property
    def parts(self) -> Mapping[str, Fitted]:
        """The towers."""
        return self.towers

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Log of pCTCVR or of pCVR; a cold item gets the lowest of the row."""
        chances = self.chances(users, histories)
        scores = chances["conversion"]
        if self.config.recommend_by == "purchase":
            scores = scores + chances["click"]
        return lowered(scores.astype(np.float32), self.catalogue.item_counts == 0)

    def chances(self, users: NDArray[np.int64], histories: Histories) -> dict[str, NDArray[np.float64]]:
        """Log of pCTR (`click`) and of pCVR (`conversion`) of all items.

        Args:
            users: As for `score`.
            histories: As for `score`.

        Returns:
            Arrays of shape (users, items), at most 0.
        """
        odds = {
            name: products(tower.user_vectors(users, histories), tower.item_factors)
            for name, tower in self.towers.items()
        }
        return {name: -np.logaddexp(0, -of_tower.astype(np.float64)) for name, of_tower in odds.items()}

    def moved(self, vectors: Mapping[str, tuple[Scores, Scores]]) -> Self:
        """The same model with other factors."""
        towers = {name: tower.moved(*vectors[name]) for name, tower in self.towers.items()}
        return replace(self, towers=towers)

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The log of the training; factors are the towers'."""
        return {"log": self.log}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        towers = {name: part for name, part in saved.parts.items() if isinstance(part, FittedMF)}
        return cls(**saved.shared, towers=towers, log=saved.arrays["log"])
