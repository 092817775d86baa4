"""The transformer's network: item, search and place vectors, blocks, and the loss on a batch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from equipoise.models import choice
from equipoise.models.filtered import Filtered
from equipoise.models.sequence.attention import attention_weights, causal_attention, causal_bias
from equipoise.models.sequence.windows import Batch
from equipoise.models.training import Filter, Step

if TYPE_CHECKING:
    from equipoise.models.sequence.model import Sequence

Floats = NDArray[np.float32]

_SPREAD = 0.02  # standard deviation of vectors at the start
_LEVELS = 256  # dropout draws one byte per number; a probability is met to 1/256


class Network(nn.Module):
    """Self-attentive sequential recommender (Kang and McAuley 2018, SASRec), pre-norm, with text beside or for ids.

    Args:
        config: Sizes.
        counts: Training events per item; an item without any is cold: its learned part stays zero.
        text: Text vectors of the items, shape (items, any); None for none.
        queries: Text vectors of the searches in the training histories, shape (searches, any); None for none.
        offset: Added to the scores of items in training, shape (periods, items); None for nothing.
    """

    def __init__(
        self,
        config: Sequence,
        counts: NDArray[np.int64],
        text: Floats | None,
        queries: Floats | None = None,
        offset: Floats | None = None,
    ) -> None:
        super().__init__()
        self.config, self.width = config, config.width
        self.counts, self.queries = counts, queries
        warm = counts > 0
        self.warm = None if warm.all() else torch.from_numpy(np.flatnonzero(warm))
        self.place_of_warm = torch.from_numpy(np.cumsum(warm) - 1)
        self.offset = None if offset is None else torch.from_numpy(offset[:, warm])
        self.text = None if text is None else torch.from_numpy(text)
        width, learned = config.width, config.text != "alone"
        drawn = (
            torch.randn(len(counts), width) * _SPREAD * torch.from_numpy(warm)[:, None] if learned else None
        )
        self.items = None if drawn is None else nn.Parameter(drawn)
        self.start = nn.Parameter(torch.randn(1, width) * _SPREAD)
        self.places = nn.Parameter(torch.randn(config.length, width) * _SPREAD)
        if self.text is not None:
            self.from_text = nn.Parameter(torch.randn(self.text.shape[1], width) * _SPREAD)
            self.search = nn.Parameter(torch.zeros(1, width))
        self.adaptor = None if learned else Adaptor(self.from_text.shape[0], config.adaptor, width)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        self.filtered: Filtered | None = None

    def item_vectors(self, rng: np.random.Generator | None = None) -> Tensor:
        """Vectors of all items, shape (items, width); with `rng`, some go without their learned part."""
        if self.text is None:
            assert self.items is not None
            return self.items
        read = self.from_texts(self.text)
        if self.items is None:
            return read
        learned: Tensor = self.items
        if rng is not None and self.config.id_dropout:
            kept = rng.random(len(learned)) >= self.config.id_dropout
            learned = learned * torch.from_numpy(kept.astype(np.float32))[:, None]
        return learned + read

    def from_texts(self, texts: Tensor) -> Tensor:
        """What text vectors say of items, shape (n, width); nothing of a vector of zeros."""
        read = texts @ self.from_text
        return read if self.adaptor is None else read + self.adaptor(texts)

    def inputs(self, items: Tensor, queries: Floats | None) -> Tensor:
        """The table that tokens index: items, start, queries, and last the zero row for fillers."""
        rows = [items, self.start]
        if queries is not None and self.text is not None:
            rows.append(self.from_texts(torch.from_numpy(queries)) + self.search)
        return torch.cat([*rows, torch.zeros(1, self.width)])

    def forward(self, tokens: Tensor, inputs: Tensor, rng: np.random.Generator | None = None) -> Tensor:
        """Representations after each token, shape (rows, places, width); with `rng`, under dropout."""
        x = self._embedded(tokens, inputs, rng)
        for block in self.blocks:
            x = block(x, rng)
        normed: Tensor = self.norm(x)
        return normed

    def last(self, tokens: Tensor, sizes: Tensor, inputs: Tensor) -> Tensor:
        """Representations after the last of each row's `sizes` tokens, as `forward` gives them; shape (rows, width).

        Of the last block nothing is made that nobody reads.
        """
        x = self._embedded(tokens, inputs, None)
        *before, end = cast("Iterable[Block]", self.blocks)
        for block in before:
            x = block(x, None)
        normed: Tensor = self.norm(end.at(x, sizes - 1))
        return normed

    def refilter(self, rule: Filter, vectors: Floats) -> None:
        """Fit the filter to the unfiltered vectors of all users, shape (users, width)."""
        assert self.filtered is not None
        self.filtered.refit(rule, vectors)

    def attention(self, tokens: Tensor, inputs: Tensor) -> Tensor:
        """Weights of all layers, shape (layers, rows, heads, places, places)."""
        x = self._embedded(tokens, inputs, None)
        weights = []
        for block in cast("Iterable[Block]", self.blocks):
            weights.append(block.weights(x))
            x = block(x, None)
        return torch.stack(weights)

    def step(self, batch: Batch, rng: np.random.Generator) -> tuple[Tensor, Step]:
        """The loss on a batch."""
        items = self.item_vectors(rng)
        hidden = self(torch.from_numpy(batch.tokens), self.inputs(items, self.queries), rng)
        row, place = np.nonzero(batch.targets >= 0)
        users = torch.from_numpy(batch.users[row])
        states = hidden.reshape(-1, self.width)[torch.from_numpy(row * hidden.shape[1] + place)]
        step = Step(
            users=users,
            targets=torch.from_numpy(batch.targets[row, place]),
            weights=torch.from_numpy(batch.weights[row, place]),
            representations=states if self.filtered is None else self.filtered(states, users),
            items=items,
            parameters=dict(self.named_parameters()),
        )
        return self._loss(step, torch.from_numpy(batch.periods[row, place]), rng), step

    def _loss(self, step: Step, periods: Tensor, rng: np.random.Generator) -> Tensor:
        """Only items seen in training compete: a cold one was never there to be taken."""
        items, targets = step.items, step.targets
        if self.warm is not None:
            items, targets = items[self.warm], self.place_of_warm[targets]
        chosen = choice.Chosen(step.representations, items, targets, step.weights)
        if self.offset is not None:
            chosen = chosen.shifted(self.offset, periods)
        return choice.loss(chosen, self.config.loss, self.config, self.counts[self.counts > 0], rng)

    def _embedded(self, tokens: Tensor, inputs: Tensor, rng: np.random.Generator | None) -> Tensor:
        known = torch.where(tokens < 0, len(inputs) - 1, tokens)
        x = functional.embedding(known, inputs) + self.places[: tokens.shape[1]]
        return dropout(x * math.sqrt(self.width), self.config.dropout, rng)


class Adaptor(nn.Module):
    """What the projection of text vectors cannot say, where text is all there is: it begins with saying nothing.

    The part that Hou et al. 2022 (UniSRec, section 3.1.2) give to adaptors, as one network without biases.
    """

    def __init__(self, read: int, inner: int, width: int) -> None:
        super().__init__()
        self.widen, self.narrow = nn.Linear(read, inner, bias=False), nn.Linear(inner, width, bias=False)
        nn.init.zeros_(self.narrow.weight)

    def forward(self, texts: Tensor) -> Tensor:
        """Shape (n, read) to (n, width)."""
        added: Tensor = self.narrow(functional.gelu(self.widen(texts)))
        return added


class Block(nn.Module):
    """Causal attention and a position-wise network, each on normed inputs and added to what came in."""

    def __init__(self, config: Sequence) -> None:
        super().__init__()
        width = config.width
        self.heads, self.rate = config.heads, config.dropout
        self.fast = config.half
        self.before_attention, self.before_network = nn.LayerNorm(width), nn.LayerNorm(width)
        self.distances = nn.Parameter(torch.zeros(config.heads, config.length))
        self.projections, self.mix = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = (
            nn.Linear(width, config.inner * width),
            nn.Linear(config.inner * width, width),
        )

    def forward(self, x: Tensor, rng: np.random.Generator | None) -> Tensor:
        """Shape (rows, places, width) to the same."""
        gathered = causal_attention(*self._projected(x), self._bias(x), half=self.fast and rng is not None)
        x = x + dropout(self.mix(gathered.transpose(1, 2).reshape(x.shape)), self.rate, rng)
        inner = dropout(functional.gelu(self.widen(self.before_network(x))), self.rate, rng)
        return x + dropout(self.narrow(inner), self.rate, rng)

    def at(self, x: Tensor, place: Tensor) -> Tensor:
        """What `forward` gives without dropout at one place of each row, shape (rows, width).

        Args:
            x: Shape (rows, places, width).
            place: Place of each row, shape (rows,).
        """
        rows, places, width = x.shape
        each, normed = torch.arange(rows), self.before_attention(x)
        weight, bias = self.projections.weight, self.projections.bias
        query = functional.linear(normed[each, place], weight[:width], bias[:width])
        both = functional.linear(normed, weight[width:], bias[width:])
        key, value = both.view(rows, places, 2, self.heads, -1).permute(2, 0, 3, 1, 4).unbind(0)
        gathered = functional.scaled_dot_product_attention(
            query.view(rows, self.heads, 1, -1),
            key,
            value,
            self._bias(x)[:, place].transpose(0, 1)[:, :, None],
        )
        here: Tensor = x[each, place] + self.mix(gathered.reshape(rows, width))
        inner: Tensor = self.narrow(functional.gelu(self.widen(self.before_network(here))))
        return here + inner

    def weights(self, x: Tensor) -> Tensor:
        """Attention weights on these inputs, shape (rows, heads, places, places)."""
        query, key, _ = self._projected(x)
        return attention_weights(query, key, self._bias(x))

    def _bias(self, x: Tensor) -> Tensor:
        return causal_bias(self.distances, x.shape[1])

    def _projected(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, places, width = x.shape
        three = self.projections(self.before_attention(x)).view(
            rows, places, 3, self.heads, width // self.heads
        )
        query, key, value = three.permute(2, 0, 3, 1, 4).unbind(0)
        return query, key, value


def dropout(x: Tensor, rate: float, rng: np.random.Generator | None) -> Tensor:
    """Zero numbers at random and raise the rest to the same expectation; nothing without a generator.

    Torch draws its masks from one serial generator, which takes longer than the matrix products around it.
    """
    kept = round((1 - rate) * _LEVELS)
    if rng is None or kept == _LEVELS:
        return x
    draws = np.frombuffer(rng.bytes(x.numel()), dtype=np.uint8).reshape(tuple(x.shape))
    mask = torch.from_numpy((draws < kept).view(np.uint8))
    return x * mask.to(x.dtype).mul_(_LEVELS / kept)
