"""How far a short history is to be trusted against what everybody takes, learned on held-out events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.models.conditional_logit import Choices
from equipoise.models.histories import Histories
from equipoise.models.ranking import standardised
from equipoise.models.recommender import Fitted, Scores

_LENGTHS = (1, 2, 4, 8, 16)  # steps that histories are cut to
_ROWS = 512  # cut histories to learn from
_ALTERNATIVES = 100  # items drawn for each
_BLOCK = 128
_FEWEST = 50  # held-out choices below which nothing is learned
_HALVES = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)


@dataclass(frozen=True)
class Shrinkage:
    """A score for histories of any length: the model's where they are long, the prior's where they are short.

    For a history of n steps, with w = n / (n + half),

        score = w * model * (standardised score of the model)
                + (1 - w) * (text * (of the text scorer) + popular * (of the log popularity)).

    Attributes:
        half: Steps at which both sides have their full say alike.
        model: Strength of the model, at least 0.
        text: Strength of a scorer by texts, at least 0; 0 where there was none.
        popular: Strength of popularity, at least 0.
        choices: Held-out events that this was learned from; 0 where it was not learned.
    """

    half: float
    model: float
    text: float
    popular: float
    choices: int

    @property
    def learned(self) -> bool:
        """Whether held-out events taught it."""
        return self.choices > 0

    def strengths(self, steps: float) -> NDArray[np.float64]:
        """Strengths of the model, the text scorer and popularity after so many steps, shape (3,)."""
        own = steps / (steps + self.half) if steps else 0.0
        return np.array([own * self.model, (1 - own) * self.text, (1 - own) * self.popular])

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, said: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`."""
        return cls(**said)


NOTHING_LEARNED = Shrinkage(half=0.0, model=1.0, text=0.0, popular=0.0, choices=0)
"""The model as it is."""


def learned(
    model: Fitted,
    valid: Dataset,
    popular: Scores,
    texts: Fitted | None = None,
    runtime: Runtime | None = None,
) -> Shrinkage:
    """The shrinkage under which what people did next is most likely, after histories cut to 1 to 16 steps.

    Every person of the validation part is answered as somebody new who did only the last few steps. Strengths are
    those of greatest likelihood for each `half` (conditional logit), and `half` is the likeliest.

    Args:
        model: The model, without the validation part observed.
        valid: Held-out events.
        popular: Log popularity of each item, without the validation part, shape (items,).
        texts: A scorer by texts over the same catalogue; None for none.
        runtime: Seed of the sample of people.

    Returns:
        `NOTHING_LEARNED` where fewer than 50 held-out events can be used.
    """
    options = runtime or Runtime()
    later = Histories.of(valid.positives, model.catalogue)
    whole = model.histories.take(np.arange(len(model.catalogue.users)))
    people = np.flatnonzero((np.diff(later.starts) > 0) & (np.diff(whole.starts) > 0))
    if not len(people):
        return NOTHING_LEARNED
    rng = options.rng("shrinkage")
    lengths = np.array(_LENGTHS)
    most = min(_ROWS, model.most_lists or _ROWS)
    rows = np.resize(rng.permutation(people), max(len(people), min(most, len(people) * len(lengths))))[:most]
    asked = lengths[np.arange(len(rows)) % len(lengths)]
    seen = whole.take(rows)
    past = seen.last(asked)
    steps = np.diff(past.starts)
    strangers = np.full(len(rows), -1)
    prior = standardised(popular[None, :], np.ones(len(popular), dtype=bool))

    def features(part: slice) -> Scores:
        now, nobody = past.take(np.arange(part.start, part.stop)), strangers[part]
        own = standardised(model.score(nobody, now), model.judged)
        text = np.zeros_like(own) if texts is None else standardised(texts.score(nobody, now), texts.judged)
        return np.stack([own, text, np.broadcast_to(prior, own.shape)], axis=-1)

    drawn = rng.integers(len(popular), size=(len(rows), _ALTERNATIVES))
    choices = Choices.sampled(features, later.take(rows), seen, drawn, len(popular), _BLOCK)
    events = len(np.unique(rows[choices.owners] * len(popular) + choices.items))
    if events < _FEWEST:
        return NOTHING_LEARNED
    found = []
    for half in _HALVES:
        own = (steps / (steps + half)).astype(np.float32)[:, None]
        scale = np.concatenate([own, 1 - own, 1 - own], axis=1)
        weighed = Choices(
            choices.owners,
            choices.items,
            choices.chosen * scale[choices.owners],
            choices.drawn,
            choices.others * scale[:, None, :],
            choices.usable,
        )
        weights, loss = weighed.most_likely()
        found.append((loss, half, *map(float, weights)))
    _, half, own_strength, text_strength, prior_strength = min(found)
    spoken = texts is not None and half > 0
    return Shrinkage(half, own_strength, spoken * text_strength, (half > 0) * prior_strength, events)
