"""What fitting the sequence model gives. Torch is imported when it is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.histories import Catalogue, Histories
from equipoise.models.offset import Offset
from equipoise.models.ranking import lowered, products
from equipoise.models.recommender import Fitted, Saved, Scores
from equipoise.models.sequence.text import TextSpace
from equipoise.models.sequence.transfer import agree, take_over
from equipoise.models.sequence.windows import Tokens

if TYPE_CHECKING:
    from equipoise.models.sequence.model import Sequence
    from equipoise.models.sequence.network import Network

_GROUPS = "groups"  # of users, under a filter
_CENTRE = "text_centre"
_PLACES = 25_600  # places (rows x width) that go through the network at once when scoring


@dataclass(frozen=True, kw_only=True)
class FittedSequence(Fitted):
    """A trained transformer.

    Attributes:
        network: The torch module.
        text_vectors: The item vectors it reads; None for none.
        text_centre: What was taken away from them in training, float32 of shape (width,); None for none.
        log: One row per epoch: loss, seconds, validation NDCG@10 (NaN where not measured); where training began from
            another model and was validated, one row for that comes first, without a loss. Shape (rows, 3).
    """

    config: Sequence
    network: Network = field(repr=False)
    text_vectors: Vectors | None = field(default=None, repr=False)
    text_centre: NDArray[np.float32] | None = field(default=None, repr=False)
    log: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)), repr=False)

    @property
    def vectors(self) -> Vectors | None:
        """The item vectors the model reads."""
        return self.text_vectors

    @property
    def scores_cold_items(self) -> bool:
        """Whether the model reads texts, from which a cold item has a vector."""
        return self.text_vectors is not None

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """Dot products of `user_vectors` and `item_vectors`; the users themselves do not matter.

        A cold item without a text gets the lowest score of the row; where text is all that is read, so does any.
        """
        return lowered(products(self.user_vectors(users, histories), self.item_vectors()), self._silent)

    def user_vectors(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """What the network makes of each history's last `length` steps, filtered where it was trained under a
        filter, shape (rows, width).
        """
        import torch

        vectors, filtered = self.unfiltered(histories), self.network.filtered
        if filtered is None:
            return vectors
        with torch.no_grad():
            published: Scores = filtered(torch.from_numpy(vectors), torch.from_numpy(users)).numpy()
        return published

    def unfiltered(self, histories: Histories) -> Scores:
        """What the network makes of histories before any filter, shape (rows, width)."""
        import torch

        tokens, inputs = self._read(histories)
        result = np.zeros((len(histories), self.config.width), dtype=np.float32)
        order = np.argsort(np.minimum(tokens.lengths, self.config.length), kind="stable")
        with torch.no_grad():
            for rows in _groups(order, tokens, self.config.length):
                table, sizes = tokens.last(rows, self.config.length)
                read = self.network.last(torch.from_numpy(table), torch.from_numpy(sizes), inputs)
                result[rows] = read.numpy()
        return result

    def item_vectors(self) -> Scores:
        """Learned part plus what its text says, shape (items, width); zero where an item has neither."""
        return self._items

    @cached_property
    def _items(self) -> Scores:
        import torch

        with torch.no_grad():
            items: Scores = self.network.item_vectors().numpy().copy()
        return items

    @cached_property
    def _silent(self) -> NDArray[np.bool_]:
        """Items of which nothing is known: without a text, and cold or never learned by themselves."""
        cold = (self.catalogue.item_counts == 0) | (self.network.items is None)
        return np.asarray(cold if self._space is None else cold & ~self._space.items.any(axis=1))

    @cached_property
    def _space(self) -> TextSpace | None:
        if self.text_vectors is None:
            return None
        return TextSpace.of(self.text_vectors, self.catalogue.items, self.text_centre)

    def reading(self, item: int, vectors: Scores) -> Scores:
        """Vectors that an item would have with other texts, shape (n, width).

        Args:
            item: Row of the catalogue.
            vectors: Of the texts, as the encoder gives them, shape (n, width of texts); zeros for a text without words.

        Raises:
            ModelError: if the model reads no texts.
        """
        import torch

        if self._space is None:
            raise ModelError("The sequence model reads no texts", todo='Fit it with text = "add" or "alone".')
        with torch.no_grad():
            rows = self.network.from_texts(torch.from_numpy(self._space.placed(vectors)))
            if self.network.items is not None:
                rows = rows + self.network.items[item]
        read: Scores = rows.numpy()
        return read

    def transferred(self, data: Dataset, vectors: Vectors) -> Self:
        """The same network under another catalogue, whose items it reads by their texts; nothing is trained.

        Args:
            data: Events, users and items of the other catalogue; its histories are what lists are made from.
            vectors: Vectors of its items, by the encoder that the network was trained with.

        Returns:
            A model like any other of that catalogue, not calibrated.

        Raises:
            ModelError: if the network has vectors of single items (`text` is not `alone`), the encoder or its width is
                another, or no item has a text.
        """
        agree(self, self.config, vectors)
        catalogue, histories = self.config.begin(data, None)
        space = self.config.space(vectors, catalogue)
        network = network_of(self.config, catalogue, space, None, Runtime())
        take_over(self, network)
        network.eval()
        return replace(
            self,
            catalogue=catalogue,
            histories=histories,
            guests=catalogue.users.clear(),
            calibration=None,
            network=network,
            text_vectors=vectors,
            text_centre=None if space is None else space.centre,
        )

    def attention(self, history: Any) -> pl.DataFrame:
        """Where the model looks when it reads a history.

        Args:
            history: Item ids, oldest first, or a frame, as `recommend_from` takes it.

        Returns:
            Frame of `layer`, `head`, `query_position`, `key_position` (all from 0; position 0 is the start
            of the history, or its oldest step that is looked at), `weight` in [0, 1], which sums to 1 over
            the keys.
        """
        import torch

        tokens, inputs = self._read(Histories.of_one(history, self.catalogue))
        places, sizes = tokens.last(np.array([0]), self.config.length)
        with torch.no_grad():
            weights = self.network.attention(torch.from_numpy(places[:, : sizes[0]]), inputs)[:, 0].numpy()
        layer, head, query, key = np.nonzero(np.tril(np.ones(weights.shape, dtype=bool)))
        return pl.DataFrame(
            {
                "layer": layer,
                "head": head,
                "query_position": query,
                "key_position": key,
                "weight": weights[layer, head, query, key],
            }
        )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """Parameters by name, groups of users under a filter, and the log of the training."""
        from equipoise.models.loop import get_parameters

        filtered = self.network.filtered
        return {
            **{f"network.{name}": array for name, array in get_parameters(self.network).items()},
            **({} if filtered is None else {_GROUPS: filtered.groups.numpy()}),
            **({} if self.text_centre is None else {_CENTRE: self.text_centre}),
            "log": self.log,
        }

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`."""
        from equipoise.models.filtered import Filtered
        from equipoise.models.loop import set_parameters

        centre = saved.arrays.get(_CENTRE)
        space = None if saved.vectors is None else TextSpace.of(saved.vectors, saved.catalogue.items, centre)
        network = network_of(saved.config, saved.catalogue, space, None, Runtime())
        if _GROUPS in saved.arrays:
            network.filtered = Filtered(saved.arrays[_GROUPS], saved.config.width)
        prefix = "network."
        set_parameters(
            network,
            {
                name.removeprefix(prefix): array
                for name, array in saved.arrays.items()
                if name.startswith(prefix)
            },
        )
        network.eval()
        return cls(
            **saved.shared,
            network=network,
            text_vectors=saved.vectors,
            text_centre=None if space is None else space.centre,
            log=saved.arrays["log"],
        )

    def _read(self, histories: Histories) -> tuple[Tokens, Any]:
        """The tokens of histories and the table they index; only searches that occur are embedded."""
        import torch

        occurring = np.unique(histories.queries[histories.queries >= 0])
        place = np.full(len(histories.texts) + 1, -1)
        place[occurring] = np.arange(len(occurring))
        texts = tuple(histories.texts[query] for query in occurring)
        queries = None if self._space is None else self._space.queries(texts)
        numbered = replace(histories, queries=place[histories.queries], texts=texts)
        tokens = Tokens.of(numbered, len(self.catalogue.items), queries is not None)
        with torch.no_grad():
            return tokens, self.network.inputs(torch.from_numpy(self._items), queries)


def _groups(order: NDArray[np.int64], tokens: Tokens, length: int) -> list[NDArray[np.int64]]:
    """Rows of similar length, shortest first, so many at once that the network's memory stays bounded."""
    widths = np.minimum(tokens.lengths, length)[order]
    groups, first = [], 0
    while first < len(order):
        last = first + 1
        while last < len(order) and (last + 1 - first) * widths[last] <= _PLACES:
            last += 1
        groups.append(order[first:last])
        first = last
    return groups


def network_of(
    config: Sequence,
    catalogue: Catalogue,
    space: TextSpace | None,
    queries: Scores | None,
    runtime: Runtime,
    offset: Offset | None = None,
) -> Network:
    """A fresh network for a catalogue, which its numbers are drawn for or put into.

    Args:
        config: Sizes.
        catalogue: Whose items.
        space: Their text vectors; None for none.
        queries: Those of the searches in the training histories, shape (searches, any); None for none.
        runtime: Seed of the draw.
        offset: Added to the scores of items in training; None for nothing.
    """
    import torch

    from equipoise.models.sequence.network import Network

    text = None if space is None else space.items
    table = None if offset is None else offset.table(catalogue.items)
    with torch.random.fork_rng():
        torch.manual_seed(int(runtime.rng("network").integers(2**62)))
        return Network(config, catalogue.item_counts, text, queries, table)
