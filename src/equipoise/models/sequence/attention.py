"""Causal self-attention, with a bfloat16 path for processors that have units for it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class _HalfAttention(torch.autograd.Function):
    """Scaled dot-product attention whose products run in bfloat16, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        q, k, v = (tensor.to(torch.bfloat16) for tensor in (query, key, value))
        scale = 1 / math.sqrt(q.shape[-1])
        probability = torch.softmax(torch.baddbmm(_mask(q), q, k.transpose(1, 2), alpha=scale), -1)
        ctx.save_for_backward(q, k, v, probability)
        ctx.scale = scale
        return (probability @ v).to(query.dtype)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, ...]:
        q, k, v, probability = ctx.saved_tensors
        kind = upstream[0].dtype
        gradient = upstream[0].to(torch.bfloat16)
        d_value = probability.transpose(1, 2) @ gradient
        d_probability = gradient @ v.transpose(1, 2)
        d_score = torch.ops.aten._softmax_backward_data(d_probability, probability, -1, torch.bfloat16)
        d_query, d_key = d_score @ k, d_score.transpose(1, 2) @ q
        return d_query.to(kind) * ctx.scale, d_key.to(kind) * ctx.scale, d_value.to(kind)


def causal_attention(query: Tensor, key: Tensor, value: Tensor, *, half: bool) -> Tensor:
    """What each place gathers from itself and the places before it.

    Args:
        query: Shape (rows, heads, places, width); so are `key`, `value` and the result.
        key: See `query`.
        value: See `query`.
        half: Whether products run in bfloat16.
    """
    if not half:
        return functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    rows, heads, places, width = query.shape
    flat = (tensor.reshape(rows * heads, places, width) for tensor in (query, key, value))
    gathered: Tensor = _HalfAttention.apply(*flat)  # type: ignore[no-untyped-call]
    return gathered.view(rows, heads, places, width)


def attention_weights(query: Tensor, key: Tensor) -> Tensor:
    """The weights behind `causal_attention`, shape (rows, heads, places, places); each row sums to 1."""
    scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
    return torch.softmax(scores + _mask(query), -1)


def _mask(query: Tensor) -> Tensor:
    """Zero at and before the own place, minus infinity after it."""
    places = query.shape[-2]
    return torch.full((places, places), -torch.inf, dtype=query.dtype).triu(1)
