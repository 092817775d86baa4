"""A variational autoencoder with a latent for taste and one for exposure. Torch is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeFloat, PositiveInt
from scipy.special import logsumexp

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import MissingExtraError
from equipoise.language.vectors import Vectors
from equipoise.models.attributes import Choice
from equipoise.models.histories import Histories
from equipoise.models.optimised import Optimised
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Fitted, Saved, Scores
from equipoise.models.training import Training
from equipoise.models.vae.batches import Profiles, rows
from equipoise.models.vae.context import Context, predicted

Floats = NDArray[np.float32]

_ACTIVE = 0.01  # variance over users from which a latent counts as used: Burda et al. (2016), section 5.1
_USERS = 2000  # more do not move an average over the population


class CausalVAE(Optimised):
    """Taste and exposure apart: what a user takes follows both, what is recommended follows taste alone.

    Taste `z` is standard normal. Exposure `e` is normal around a point that what is observed of the user says
    (attributes, activity): the conditional prior of iVAE (Khemakhem, Kingma, Monti and Hyvärinen 2020, equation 7).
    The attributes are proxies of whatever made items be shown, as in CEVAE (Louizos, Shalit, Mooij, Sontag, Zemel
    and Welling 2017, figure 1). What is taken is multinomial (Liang et al. 2018):

    * where the log says what was shown: items are shown by `softmax(b' + D e)` and taken, of what was shown, in
      proportion to `times shown * exp(b + V z)`, or `exp(b + V z + A e)` where the effect is `direct`;
    * where it does not: taken in proportion to `exp(b + V z + A e)`, where `A e` stands for being shown as well.

    Scores answer do(show). They are `b + V z`; without impressions this sets `e` to the mean of the population for
    everybody, since `A e` cannot be told from being shown. Where the effect is direct, `log mean exp(A e)` is added,
    the mean being over the population's `e` and not the user's own (backdoor adjustment for `e`).

    It rests on the attributes telling of exposure and not of taste: what they predict is taken for exposure. Where
    they predict nothing (see `evidence`), the two cannot be told apart: there is no `A e` then, and the model is
    a plain autoencoder over what was taken, or over what was taken of what was shown. Held-out events do not stop
    the training, for they are as biased as the log.
    """

    name: ClassVar[str] = "causal_vae"
    takes: ClassVar[frozenset[str]] = frozenset(
        {"weights", "losses", "heads", "gradient_transform", "offset"}
    )

    context: Choice = "all"
    """Columns of users that tell of exposure and not of taste; `all` for those of at most 50 values that are not
    sensitive."""

    direct: bool = False
    """Whether what made an item be shown may also make it be taken where it is shown (a hidden confounder). Taste that
    the logger knew of is then lost; without it, a confounder's own effect stays. Read where impressions are logged;
    else the two cannot be told apart."""

    width: PositiveInt = 32
    """Latents of taste."""

    exposure_width: PositiveInt = 8
    """Latents of exposure."""

    hidden: PositiveInt = 200
    """Width of the layer that encodes."""

    dropout: float = Field(0.5, ge=0, lt=1)
    """Share of each profile's items that the encoder is not told."""

    context_dropout: float = Field(0.1, ge=0, lt=1)
    """Share of users whose context is hidden in a step, so that users of whom only the history is known are
    answered."""

    kl: NonNegativeFloat = 1.0
    """Weight of the Kullback-Leibler terms at its highest; below 1 taste may hold what the context predicts."""

    annealed: float = Field(0.5, ge=0, le=1)
    """Share of the training over which that weight rises from 0."""

    batch_users: PositiveInt = 100
    """Users per batch."""

    epochs: PositiveInt = 40
    """Passes over the users."""

    learning_rate: float = Field(3e-3, gt=0)
    """Highest learning rate of AdamW."""

    @property
    def batch_rows(self) -> int:
        """Users per batch."""
        return self.batch_users

    @classmethod
    def fitted(cls) -> type[FittedCausalVAE]:
        """The class of what `fit` returns."""
        return FittedCausalVAE

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedCausalVAE:
        """Fit to `data`; see `Recommender.fit`. Held-out events, searches and texts are not read.

        Raises:
            ModelError: if there is nothing to learn from, the users lack a named column, a weight is unusable, or
                the loss overflows.
            MissingExtraError: if torch is not installed.
        """
        try:
            import torch

            from equipoise.models import loop
            from equipoise.models.vae.causal_network import CausalNetwork
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose=f"The model '{self.name}'") from error
        runtime, training = runtime or Runtime(), training or Training()
        catalogue, histories = self.begin(data, training)
        context = Context.of(data, catalogue, histories, self.context)
        found = predicted(context, histories, len(catalogue.items))
        evidence = np.array([np.nan if end is None else end for end in (found.value, found.low, found.high)])
        exposed = self.exposure_width if evidence[1] > 0 else 0
        profiles = Profiles.of(histories, len(catalogue.items), training.offset)
        table = None if training.offset is None else training.offset.table(catalogue.items)
        counts = np.bincount(profiles.targets, minlength=len(catalogue.items))
        with torch.random.fork_rng():
            torch.manual_seed(int(runtime.rng("network").integers(2**62)))
            network = CausalNetwork(self, profiles, context, exposed, counts, table)
        log = loop.optimise(
            network,
            self,
            lambda rng: profiles.batches(self.batch_users, rng),
            training=training,
            runtime=runtime,
            origin=(catalogue, histories, context.arrays()),
        )
        model = FittedCausalVAE(
            config=self,
            catalogue=catalogue,
            histories=histories,
            learned=loop.get_parameters(network),
            context=context,
            evidence=evidence,
            reach=np.zeros(len(catalogue.items), dtype=np.float32),
            log=np.array([[one.loss, one.seconds] for one in log]).reshape(-1, 2),
        )
        return model.averaged()


@dataclass(frozen=True, kw_only=True)
class FittedCausalVAE(Fitted):
    """A trained autoencoder; it answers without torch.

    Attributes:
        learned: Layers by name, float32.
        context: What is observed of the users it was trained on.
        evidence: Share of what was shown that the attributes predict, with the ends of its 95 % interval
            (`context.predicted`); shape (3,), NaN where there is none.
        reach: `log mean exp(A e)` over the population, shape (items,).
        log: One row per epoch: loss, seconds; shape (epochs, 2).
    """

    config: CausalVAE
    learned: Mapping[str, Floats] = field(repr=False)
    context: Context = field(repr=False)
    evidence: NDArray[np.float64]
    reach: Floats = field(repr=False)
    log: NDArray[np.float64] = field(repr=False)

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Log-odds under do(show), up to a number per user. A cold item gets the lowest score of the row."""
        scores = products(self.user_vectors(users, histories), self.item_vectors())
        return lowered(scores, self.catalogue.item_counts == 0)

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Mean of the latents of taste, and 1, shape (rows, width + 1)."""
        taste, _ = self.latents(users, histories)
        return np.column_stack([taste, np.ones(len(taste), dtype=np.float32)])

    def item_vectors(self) -> Scores:
        """What takes up taste, and the log-odds that all users share, shape (items, width + 1)."""
        return np.column_stack([self.learned["items"], self.learned["item_bias"] + self.reach])

    def latents(self, users: NDArray[np.int64], histories: Histories) -> tuple[Floats, Floats]:
        """Posterior means of taste and of exposure; 0 and the prior's where a history holds no known item.

        Args:
            users: Catalogue rows, -1 for a stranger, whose context is not known.
            histories: One row per user.

        Returns:
            float32 of shape (rows, width) and (rows, latents of exposure).
        """
        counts = histories.matrix(len(self.catalogue.items))
        features = self.context.beside(users, counts)
        hidden = products(rows(counts), self.learned["read"].T) + self.learned["read_bias"]
        hidden += products(features, self.learned["read_context"].T)
        if self.context.shown is not None:
            hidden += products(rows(self.context.shown_to(users)), self.learned["read_shown"].T)
        hidden, there = np.tanh(hidden), (np.diff(counts.indptr) > 0)[:, None]
        taste, exposure = (
            (products(hidden, self.learned[name].T) + self.learned[f"{name}_bias"]) * there
            for name in ("taste", "exposure")
        )
        return taste, exposure + products(features, self.learned["prior"].T)

    def averaged(self) -> Self:
        """The same model with `reach` over the users it was trained on: the prior's e of each."""
        pushed = self.learned["pushed"].astype(np.float64)
        if self.context.shown is None or not self.config.direct or not pushed.shape[1]:
            return self
        users = np.flatnonzero(self.catalogue.user_counts > 0)
        users = users[:: max(1, -(-len(users) // _USERS))]
        counts = self.histories.take(users).matrix(len(self.catalogue.items))
        centres = self.context.beside(users, counts) @ self.learned["prior"]
        shares = logsumexp(centres @ pushed.T, axis=0) - np.log(len(users))
        return replace(self, reach=(shares + 0.5 * (pushed**2).sum(axis=1)).astype(np.float32))

    def checks(self) -> dict[str, Any]:
        """What can be checked of the fit: how far the attributes tell exposure, and whether the latents are used.

        Returns:
            Plain JSON values: `context_predicts` (share, low, high), `impressions` (whether what was shown is known),
            `removes_confounder` (whether scores leave out an effect of exposure on what is taken), `active_taste` and
            `active_exposure` (latents whose posterior mean differs between users), `latents`, `context_in_taste` and
            `context_in_exposure` (share of the variance of the posterior means that the attributes predict, in 0..1).
        """
        users = np.flatnonzero(self.catalogue.user_counts > 0)
        taste, exposure = self.latents(users, self.histories.take(users))
        features = self.context.features[users]
        share, low, high = (None if np.isnan(end) else float(end) for end in self.evidence)
        return {
            "context_predicts": {"share": share, "low": low, "high": high},
            "impressions": self.context.shown is not None,
            "removes_confounder": bool(exposure.shape[1])
            and (self.context.shown is None or self.config.direct),
            "active_taste": int((taste.var(axis=0) > _ACTIVE).sum()),
            "active_exposure": int((exposure.var(axis=0) > _ACTIVE).sum()),
            "latents": {"taste": taste.shape[1], "exposure": exposure.shape[1]},
            "context_in_taste": _explained(features, taste),
            "context_in_exposure": _explained(features, exposure),
        }

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Layers, the context of the users, what it tells, and the log of the training."""
        return {
            **{f"network.{name}": array for name, array in self.learned.items()},
            **{f"context.{name}": array for name, array in self.context.arrays().items()},
            **{name: getattr(self, name) for name in _ARRAYS},
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""

        def under(prefix: str) -> dict[str, NDArray[Any]]:
            return {
                name.removeprefix(prefix): array
                for name, array in saved.arrays.items()
                if name.startswith(prefix)
            }

        context = Context.restore(under("context."), len(saved.catalogue.items))
        rest: dict[str, Any] = {name: saved.arrays[name] for name in _ARRAYS}
        return cls(**saved.shared, learned=under("network."), context=context, **rest)


def _explained(features: Floats, latents: Floats) -> float | None:
    """Share of the variance of latents that a least-squares fit on features explains; None where there is none."""
    centred = latents.astype(np.float64) - latents.mean(axis=0)
    whole = float((centred**2).sum())
    if whole < 1e-9:
        return None
    design = features.astype(np.float64) - features.mean(axis=0)
    fitted = design @ np.linalg.lstsq(design, centred, rcond=None)[0]
    return float((fitted**2).sum() / whole)


_ARRAYS = ("evidence", "reach", "log")
