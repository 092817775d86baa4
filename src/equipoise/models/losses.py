"""Losses of next-item and rating models; all take a weight per example and are divided by the number of
examples.

A score is the dot product of a representation (a user at some moment) and an item's vector.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

_LEAST = 1e-30  # a probability below it counts as this in the loss's value; its gradient is not touched


class _FullSoftmax(torch.autograd.Function):
    """Cross-entropy over all items, chunk by chunk: the gradient is made together with the value.

    Of the examples x items table only one chunk of rows exists at any time. All chunks have one shape (the
    last is filled up with rows of weight 0), because matrix kernels are compiled once per shape.
    """

    @staticmethod
    def forward(
        ctx: Any,
        representations: Tensor,
        items: Tensor,
        targets: Tensor,
        weights: Tensor,
        half: bool,
        chunk: int,
    ) -> Tensor:
        n, width = representations.shape
        rows = max(1, -(-n // chunk)) * chunk
        kind = torch.bfloat16 if half else representations.dtype
        x = torch.zeros(rows, width, dtype=kind)
        x[:n] = representations
        target = torch.zeros(rows, dtype=torch.long)
        target[:n] = targets
        weight = torch.zeros(rows, 1, dtype=kind)
        weight[:n, 0] = weights
        w = items.to(kind)
        transposed = w.T.contiguous()
        d_x = torch.empty_like(x)
        d_items = torch.zeros(width, len(items), dtype=representations.dtype)
        likelihood = torch.empty(rows, dtype=representations.dtype)
        table = torch.empty(chunk, len(items), dtype=kind)
        probability = torch.empty_like(table)
        row = torch.arange(chunk)
        weighted = bool((weights != 1).any())
        for start in range(0, rows, chunk):
            part = slice(start, start + chunk)
            torch.mm(x[part], transposed, out=table)
            torch.softmax(table, 1, out=probability)
            hit = probability[row, target[part]]
            likelihood[part] = hit.to(likelihood.dtype).clamp_min(_LEAST).log()
            probability[row, target[part]] = hit - 1
            if weighted or start + chunk > n:
                probability *= weight[part]
            torch.mm(probability, w, out=d_x[part])
            d_items += x[part].T.contiguous() @ probability
        ctx.save_for_backward(d_x[:n].to(representations.dtype) / n, (d_items / n).T)
        return -(likelihood[:n] * weights).sum() / n

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> tuple[Tensor | None, ...]:
        d_x, d_items = ctx.saved_tensors
        return d_x * upstream[0], d_items * upstream[0], None, None, None, None


def full_softmax(
    representations: Tensor,
    items: Tensor,
    targets: Tensor,
    weights: Tensor | None = None,
    *,
    half: bool = False,
    chunk: int = 512,
) -> Tensor:
    """Cross-entropy of the target among all items, `mean_i w_i (log Σ_j exp(x_i·v_j) - x_i·v_target)`.

    The gradient cannot be differentiated again.

    Args:
        representations: Shape (n, width).
        items: Vectors of the items that compete, shape (items, width).
        targets: Row of `items` per example, int64 of shape (n,).
        weights: Shape (n,); None for 1.
        half: Whether the large products run in bfloat16; sums and the result stay float32.
        chunk: Examples whose scores exist at once.

    Returns:
        A scalar, at least 0.
    """
    one = _ones(weights, representations)
    loss: Tensor = _FullSoftmax.apply(representations, items, targets, one, half, chunk)  # type: ignore[no-untyped-call]
    return loss


def sampled_softmax(
    representations: Tensor,
    items: Tensor,
    targets: Tensor,
    negatives: Tensor,
    log_q: Tensor,
    weights: Tensor | None = None,
) -> Tensor:
    """Cross-entropy against negatives that all examples share, with the logQ correction.

    The sum over all items is estimated by the target's own term plus the others' terms over their expected
    number of draws, `exp(s_t) + Σ_{j drawn, j≠t} exp(s_j) / (k q_j)`, which is unbiased: the target is
    certain to be there, so it is not corrected, and draws of it are struck out.

    Source: Bengio and Senécal (2008), "Adaptive importance sampling to accelerate training of a neural
    probabilistic language model"; that the target stays uncorrected: Khrylchenko et al. (2025), "Correcting
    the LogQ correction".

    Args:
        representations: Shape (n, width).
        items: Vectors of all items, shape (items, width).
        targets: Row of `items` per example, int64 of shape (n,).
        negatives: Rows of `items` drawn with replacement, int64 of shape (k,).
        log_q: Logarithm of each item's probability in one draw, shape (items,).
        weights: Shape (n,); None for 1.

    Returns:
        A scalar, at least 0.
    """
    own = (representations * items[targets]).sum(1, keepdim=True)
    correction = log_q[negatives] + math.log(len(negatives))
    others = representations @ items[negatives].T - correction
    others = others.masked_fill(targets[:, None] == negatives[None], -torch.inf)
    losses = torch.logsumexp(torch.cat([own, others], 1), 1) - own[:, 0]
    return (losses * _ones(weights, representations)).mean()


def gbce(
    representations: Tensor,
    items: Tensor,
    targets: Tensor,
    negatives: Tensor,
    weights: Tensor | None = None,
    *,
    t: float = 0.75,
) -> Tensor:
    """Generalised binary cross-entropy with shared negatives, drawn uniformly.

    `-(β log σ(s_target) + Σ_{j drawn} log(1 - σ(s_j)))` with `β = α (t (1 - 1/α) + 1/α)` and the sampling
    rate
    `α = k / (items - 1)`. `t = 0` is plain binary cross-entropy (overconfident under sampling), `t = 1` is
    calibrated. Draws of the target itself are struck out.

    Source: Petrov and Macdonald (2023), "gSASRec: reducing overconfidence in sequential recommendation
        trained with
    negative sampling", equations 8 to 10.

    Args:
        representations: Shape (n, width).
        items: Vectors of all items, shape (items, width).
        targets: Row of `items` per example, int64 of shape (n,).
        negatives: Rows of `items`, int64 of shape (k,).
        weights: Shape (n,); None for 1.
        t: Calibration in [0, 1].

    Returns:
        A scalar, at least 0.
    """
    rate = min(1.0, len(negatives) / max(1, len(items) - 1))
    beta = rate * (t * (1 - 1 / rate) + 1 / rate)
    own = (representations * items[targets]).sum(1)
    others = representations @ items[negatives].T
    others = others.masked_fill(targets[:, None] == negatives[None], -torch.inf)
    losses = -beta * functional.logsigmoid(own) + functional.softplus(others).sum(1)
    return (losses * _ones(weights, representations)).mean()


def pointwise(taken: Tensor, others: Tensor, cells: float, weights: Tensor | None = None) -> Tensor:
    """Logistic loss of whether each pair of user and item is taken, over all pairs, per event.

    `Σ_pairs (Y/θ) δ1 + (1 - Y/θ) δ0` with `δ1 = -log σ(s)`, `δ0 = -log(1 - σ(s))` and weights 1/θ for what was taken.
    As `δ1 - δ0 = -s`, it is `-Σ_taken w s + Σ_pairs softplus(s)`, and the second sum is estimated from pairs drawn
    all alike. With θ the chance that a pair was exposed, its expectation is the loss of relevance; a weight above 1
    leaves it without a lower bound, which shrinkage (and clipped weights) give.

    Source: Saito, Yaginuma, Nishino, Sakata and Nakata (2020), "Unbiased recommender learning from
    missing-not-at-random implicit feedback", section 4.

    Args:
        taken: Scores of what was taken, shape (n,).
        others: Scores of pairs drawn uniformly, taken or not, any shape.
        cells: Pairs of users and items per event.
        weights: Of what was taken, shape (n,); None for 1.
    """
    return cells * functional.softplus(others).mean() - (taken * _ones(weights, taken)).mean()


def squared_error(predicted: Tensor, values: Tensor, weights: Tensor | None = None) -> Tensor:
    """Weighted squared error, `mean_i w_i (predicted_i - value_i)²`; with inverse propensities, their
    estimate.

    Source: Schnabel et al. (2016), "Recommendations as treatments", equation 9, for the weighted form.

    Args:
        predicted: Shape (n,).
        values: Shape (n,).
        weights: Shape (n,); None for 1.
    """
    return ((predicted - values) ** 2 * _ones(weights, predicted)).mean()


def _ones(weights: Tensor | None, like: Tensor) -> Tensor:
    return torch.ones(len(like), dtype=like.dtype) if weights is None else weights.to(like.dtype)
