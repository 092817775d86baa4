"""Causal self-attention with a bias per distance, and a bfloat16 path for processors that have units for it."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional


class _HalfAttention(torch.autograd.Function):
    """Scaled dot-product attention whose products run in bfloat16, forwards and backwards."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, bias: Tensor) -> Tensor:
        rows, heads, places, width = query.shape
        q, k, v = (
            tensor.reshape(rows * heads, places, width).to(torch.bfloat16) for tensor in (query, key, value)
        )
        added = bias.to(torch.bfloat16).expand(rows, -1, -1, -1).reshape(rows * heads, places, places)
        scale = 1 / math.sqrt(width)
        probability = torch.softmax(torch.baddbmm(added, q, k.transpose(1, 2), alpha=scale), -1)
        ctx.save_for_backward(q, k, v, probability)
        ctx.scale, ctx.shape = scale, query.shape
        return (probability @ v).to(query.dtype).view(query.shape)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor, ...]:
        q, k, v, probability = ctx.saved_tensors
        rows, heads, places, _ = ctx.shape
        kind = upstream[0].dtype
        gradient = upstream[0].to(torch.bfloat16).reshape(v.shape)
        d_value = probability.transpose(1, 2) @ gradient
        d_probability = gradient @ v.transpose(1, 2)
        d_score = torch.ops.aten._softmax_backward_data(d_probability, probability, -1, torch.bfloat16)
        d_query, d_key = d_score @ k, d_score.transpose(1, 2) @ q
        d_bias = d_score.view(rows, heads, places, places).sum(0, dtype=kind)
        return (
            (d_query.to(kind) * ctx.scale).view(ctx.shape),
            (d_key.to(kind) * ctx.scale).view(ctx.shape),
            d_value.to(kind).view(ctx.shape),
            d_bias,
        )


def causal_bias(by_distance: Tensor, places: int) -> Tensor:
    """What is added to the scores: a number per head and distance, minus infinity for places to come.

    Source: Raffel et al. (2020), "Exploring the limits of transfer learning", section 2.1, without their bins.

    Args:
        by_distance: Shape (heads, at least `places`); distance 0 is the place itself.
        places: Width of the window.

    Returns:
        Shape (heads, places, places): of each query, its keys.
    """
    place = torch.arange(places)
    distance = place[:, None] - place
    future = torch.zeros(places, places).masked_fill(distance < 0, -torch.inf)
    return by_distance[:, distance.clamp_min(0)] + future


def causal_attention(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, *, half: bool) -> Tensor:
    """What each place gathers from itself and the places before it.

    Args:
        query: Shape (rows, heads, places, width); so are `key`, `value` and the result.
        key: See `query`.
        value: See `query`.
        bias: See `causal_bias`.
        half: Whether products run in bfloat16.
    """
    if half:
        gathered: Tensor = _HalfAttention.apply(query, key, value, bias)  # type: ignore[no-untyped-call]
        return gathered
    return functional.scaled_dot_product_attention(
        query, key, value, bias[None].expand(len(query), -1, -1, -1)
    )


def attention_weights(query: Tensor, key: Tensor, bias: Tensor) -> Tensor:
    """The weights behind `causal_attention`, shape (rows, heads, places, places); each row sums to 1."""
    return torch.softmax(query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1]) + bias, -1)
