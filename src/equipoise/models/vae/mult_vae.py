"""A variational autoencoder over profiles with a multinomial likelihood. Torch is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveInt

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import MissingExtraError
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Histories
from equipoise.models.optimised import Optimised, validation
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Fitted, Saved, Scores
from equipoise.models.training import Training
from equipoise.models.vae.batches import Profiles, rows

Floats = NDArray[np.float32]


class MultVAE(Optimised):
    """What a user takes is a multinomial draw from a decoded latent (Liang, Krishnan, Hoffman and Jebara 2018,
    "Variational autoencoders for collaborative filtering": Mult-VAE).

    An encoder turns the profile, of which a share is hidden, into a normal distribution; a draw from it is decoded
    to log-odds of all items. Scores come from the mean. A user is the own history alone, so that new histories are
    answered without training; without a history the latent is that of the prior, 0.
    """

    name: ClassVar[str] = "mult_vae"
    takes: ClassVar[frozenset[str]] = frozenset(
        {"weights", "losses", "heads", "gradient_transform", "offset"}
    )

    width: PositiveInt = 64
    """Latents."""

    hidden: PositiveInt = 200
    """Width of the layers between items and latents."""

    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of each profile's items that the encoder is not told."""

    kl: NonNegativeFloat = 0.2
    """Weight of the Kullback-Leibler term at its highest; 1 is the evidence bound, less explains profiles better."""

    annealed: float = Field(0.5, ge=0, le=1)
    """Share of the training over which that weight rises from 0."""

    batch_users: PositiveInt = 100
    """Users per batch."""

    epochs: PositiveInt = 60
    """Most passes over the users."""

    learning_rate: float = Field(3e-3, gt=0)
    """Highest learning rate of AdamW."""

    check_every: PositiveInt = 5
    """Epochs between validations."""

    @property
    def batch_rows(self) -> int:
        """Users per batch."""
        return self.batch_users

    @classmethod
    def fitted(cls) -> type[FittedMultVAE]:
        """The class of what `fit` returns."""
        return FittedMultVAE

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedMultVAE:
        """Fit to `data`; see `Recommender.fit`. Searches and texts are not read.

        Raises:
            ModelError: if there is nothing to learn from, a weight is unusable, or the loss overflows.
            MissingExtraError: if torch is not installed.
        """
        try:
            import torch

            from equipoise.models import loop
            from equipoise.models.vae.mult_network import MultNetwork
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose=f"The model '{self.name}'") from error
        runtime, training = runtime or Runtime(), training or Training()
        catalogue, histories = self.begin(data, training)
        profiles = Profiles.of(histories, len(catalogue.items), training.offset)
        table = None if training.offset is None else training.offset.table(catalogue.items)
        counts = np.bincount(profiles.targets, minlength=len(catalogue.items))
        with torch.random.fork_rng():
            torch.manual_seed(int(runtime.rng("network").integers(2**62)))
            network = MultNetwork(self, profiles, counts, table)
        model = FittedMultVAE(
            config=self, catalogue=catalogue, histories=histories, learned=loop.get_parameters(network)
        )
        check = None if valid is None else validation(valid, catalogue, self, runtime)
        log = loop.optimise(
            network,
            self,
            lambda rng: profiles.batches(self.batch_users, rng),
            training=training,
            runtime=runtime,
            validate=None
            if check is None
            else lambda: check(replace(model, learned=loop.get_parameters(network))),
            origin=(catalogue, histories, None if valid is None else valid.positives),
        )
        said = [[one.loss, one.seconds, one.validation] for one in log]
        return replace(model, learned=loop.get_parameters(network), log=np.array(said).reshape(-1, 3))


@dataclass(frozen=True, kw_only=True)
class FittedMultVAE(Fitted):
    """A trained autoencoder; it answers without torch.

    Attributes:
        learned: Layers by name, float32.
        log: One row per epoch: loss, seconds, validation NDCG@10 (NaN where not measured); shape (epochs, 3).
    """

    config: MultVAE
    learned: Mapping[str, Floats] = field(repr=False)
    log: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)), repr=False)

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Decoded means; the users themselves do not matter. A cold item gets the lowest score of the row."""
        scores = products(self.user_vectors(users, histories), self.item_vectors())
        return lowered(scores, self.catalogue.item_counts == 0)

    def latents(self, histories: Histories) -> Floats:
        """Mean of the latents of each history, shape (rows, width); 0 where it holds no known item."""
        counts = histories.matrix(len(self.catalogue.items))
        hidden = np.tanh(self._through("read", rows(counts)))
        means: Floats = self._through("mean", hidden) * (np.diff(counts.indptr) > 0)[:, None]
        return means

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """The last layer before the items, and 1, shape (rows, hidden + 1)."""
        decoded = np.tanh(self._through("widen", self.latents(histories)))
        return np.column_stack([decoded, np.ones(len(decoded), dtype=np.float32)])

    def item_vectors(self) -> Scores:
        """Weights of the last layer and its bias, shape (items, hidden + 1)."""
        return np.column_stack([self.learned["items"], self.learned["item_bias"]])

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Layers and the log of the training."""
        return {**{f"network.{name}": array for name, array in self.learned.items()}, "log": self.log}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        prefix = "network."
        learned = {
            name.removeprefix(prefix): array
            for name, array in saved.arrays.items()
            if name.startswith(prefix)
        }
        return cls(**saved.shared, learned=learned, log=saved.arrays["log"])

    def _through(self, layer: str, values: Floats) -> Floats:
        """Values through a layer of that name."""
        return np.asarray(products(values, self.learned[layer].T) + self.learned[f"{layer}_bias"], np.float32)
