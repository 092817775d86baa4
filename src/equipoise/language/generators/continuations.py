"""How likely a causal language model finds continuations of what it has read; gradients go through them."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class Prefix(NamedTuple):
    """What a model has read, and what it expects next.

    Attributes:
        tokens: Its tokens.
        cache: Keys and values of them.
        expected: Log-probabilities of the token after them, float32 of shape (tokens known,).
    """

    tokens: list[int]
    cache: Any
    expected: Tensor


def read(model: Any, tokens: list[int], device: str) -> Prefix:
    """The model after a prefix."""
    out = model(input_ids=torch.tensor([tokens], device=device), use_cache=True, logits_to_keep=1)
    return Prefix(tokens, out.past_key_values, out.logits[0, -1].float().log_softmax(-1))


def totals(model: Any, prefix: Prefix, continuations: Sequence[list[int]], device: str) -> Tensor:
    """Log-probabilities of continuations after a prefix; they are padded on the right.

    Where gradients are on, the prefix is used up: its cache is extended, for what has a history cannot be copied.

    Args:
        model: The one that read the prefix.
        prefix: What it has read.
        continuations: Tokens of each, none empty.
        device: A torch device name.

    Returns:
        float64 of shape (continuations,).
    """
    rows, width = len(continuations), max(map(len, continuations))
    lengths = torch.tensor([len(row) for row in continuations], device=device)
    tokens = torch.tensor([row + [0] * (width - len(row)) for row in continuations], device=device)
    each = prefix.expected[tokens[:, :1]]  # (rows, 1), of each first token
    if width > 1:
        cache = prefix.cache if torch.is_grad_enabled() else copy.deepcopy(prefix.cache)
        cache.batch_repeat_interleave(rows)
        past = len(prefix.tokens)
        steps = torch.arange(width - 1, device=device)
        known = torch.ones(rows, past, dtype=torch.long, device=device)
        mask = torch.cat([known, (steps < lengths[:, None]).long()], dim=1)
        out = model(
            input_ids=tokens[:, :-1],
            attention_mask=mask,
            position_ids=(past + steps).expand(rows, -1),
            past_key_values=cache,
            use_cache=True,
        )
        rest = out.logits.float().log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0]
        each = torch.cat([each, rest], dim=1)
    there = torch.arange(width, device=device) < lengths[:, None]
    return each.masked_fill(~there, 0.0).double().sum(dim=1)
