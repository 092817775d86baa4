"""The layer by which an adversary makes what it reads harder to read."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class _Reversal(torch.autograd.Function):
    """Nothing on the way there; on the way back the gradient times a negative number."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, strength: float) -> Tensor:
        ctx.strength = strength
        return vectors.view_as(vectors)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, None]:
        return -ctx.strength * upstream[0], None


def reverse(vectors: Tensor, strength: float) -> Tensor:
    """The same vectors, whose gradient is turned round (Ganin et al. 2016, "Domain-adversarial training of neural
    networks", section 4.2).

    Args:
        vectors: What an adversary reads.
        strength: Factor of the gradient that reaches whoever made them.
    """
    turned: Tensor = _Reversal.apply(vectors, strength)  # type: ignore[no-untyped-call]
    return turned
