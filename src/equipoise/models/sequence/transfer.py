"""A network that reads items by their texts alone goes from one catalogue to another.

What has to agree: the encoder that made the text vectors, and the shape of the network. What is the catalogue's own:
its items, its users, and the centre of its texts, which is taken away in each catalogue by itself, as the whitening
of Hou et al. 2022 (UniSRec, "Towards universal sequence representation learning", section 3.1.1) does.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from equipoise.errors import ModelError
from equipoise.language.vectors import Vectors
from equipoise.models.storage import find_model, load_model

if TYPE_CHECKING:
    from equipoise.models.loop import Parameters
    from equipoise.models.sequence.fitted import FittedSequence
    from equipoise.models.sequence.model import Sequence
    from equipoise.models.sequence.network import Network

_SHAPE: Final = ("width", "blocks", "heads", "inner", "length", "adaptor")
"""Fields of `Sequence` that say which numbers a network is made of."""


def opened(place: Path) -> FittedSequence:
    """The model to begin from.

    Args:
        place: Folder of a saved model, or of a run.

    Raises:
        ModelError: if it holds no sequence model, or a damaged one.
    """
    from equipoise.models.sequence.fitted import FittedSequence

    folder = find_model(place)
    model = load_model(folder)
    if not isinstance(model, FittedSequence):
        raise ModelError(
            f"A sequence model cannot begin from a model '{model.config.name}'",
            where=str(folder),
            todo='Name a run of [model] name = "sequence", text = "alone".',
        )
    return model


def agree(start: FittedSequence, config: Sequence, vectors: Vectors) -> None:
    """Refuse to put a network where it means nothing.

    Args:
        start: Whose network.
        config: The model that takes it over.
        vectors: Item vectors of the new catalogue.

    Raises:
        ModelError: if the network has vectors of its own items, stands under a filter of its own users, has another
            shape, or reads vectors of another encoder.
    """
    if start.config.text != "alone" or start.text_vectors is None:
        raise ModelError(
            "The network has learned a vector for each item of its own catalogue, which means nothing in another one",
            where=f'text = "{start.config.text}"',
            todo='Train it with [model] text = "alone".',
        )
    if start.network.filtered is not None:
        raise ModelError(
            "The network was trained under a filter of its own users, who are not those of another catalogue",
            todo="Begin from the baseline of that run, and filter here.",
        )
    for field in _SHAPE:
        own, wanted = getattr(start.config, field), getattr(config, field)
        if own != wanted:
            raise ModelError(
                f"The network to begin from has another shape: {field} is {own} there and {wanted} here",
                todo=f"Set [model] {field} = {own}.",
            )
    _same_encoder(start.text_vectors, vectors)


def begin_from(place: Path, config: Sequence, network: Network, vectors: Vectors) -> Parameters:
    """Put the numbers of a saved model into a fresh network, and return them.

    Args:
        place: Folder of a saved model, or of a run.
        config: The model that takes them over.
        network: Its network.
        vectors: Item vectors of the new catalogue.

    Raises:
        ModelError: as `opened` and `agree` do.
    """
    start = opened(place)
    agree(start, config, vectors)
    return take_over(start, network)


def take_over(start: FittedSequence, network: Network) -> Parameters:
    """Put a model's numbers into another network of the same shape, and return them."""
    from equipoise.models.loop import get_parameters, set_parameters

    parameters = get_parameters(start.network)
    set_parameters(network, parameters)
    return parameters


def _same_encoder(own: Vectors, other: Vectors) -> None:
    """Numbers of one encoder say nothing to a network that reads those of another."""
    if own.width != other.width:
        raise ModelError(
            f"The network reads text vectors of {own.width} numbers, and these have {other.width}",
            todo="Encode both catalogues by the same encoder.",
        )
    names = [getattr(one.encoder, "identity", None) for one in (own, other)]
    if names[0] != names[1]:
        raise ModelError(
            "The text vectors come from another encoder than those that the network was trained on",
            todo="Encode both catalogues by the same one. TF-IDF learns its words from each catalogue anew, so it is "
            'never the same: take a pretrained encoder, such as [encoder] name = "minilm", for both.',
        )
