"""Representations after a filter, as a part of a network: its maps are parameters that no gradient moves."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from equipoise.models.training import Filter


class Filtered(nn.Module):
    """An affine map of representations for each group of users; none of them changes anything before `refit`.

    Args:
        groups: Group of each user of the catalogue, int64 of shape (users,); strangers are in group 0.
        width: Of the representations.
    """

    def __init__(self, groups: NDArray[np.int64], width: int) -> None:
        super().__init__()
        count = int(groups.max(initial=0)) + 1
        self.groups = torch.from_numpy(groups)
        self.matrices = nn.Parameter(torch.eye(width).repeat(count, 1, 1), requires_grad=False)
        self.offsets = nn.Parameter(torch.zeros(count, width), requires_grad=False)

    def forward(self, vectors: Tensor, users: Tensor) -> Tensor:
        """What may be read of these vectors.

        Args:
            vectors: Shape (n, width).
            users: Catalogue row of each one's user, -1 for a stranger, int64 of shape (n,).
        """
        if len(self.matrices) == 1:
            return vectors @ self.matrices[0] + self.offsets[0]
        group = torch.where(users >= 0, self.groups[users], 0)
        order = torch.argsort(group, stable=True)
        counts = torch.bincount(group, minlength=len(self.matrices)).tolist()
        parts = torch.split(vectors[order], counts)
        mapped = [
            part @ self.matrices[number] + self.offsets[number]
            for number, part in enumerate(parts)
            if len(part) or not number
        ]
        return torch.zeros_like(vectors).index_copy(0, order, torch.cat(mapped))

    def refit(self, rule: Filter, vectors: NDArray[np.float32]) -> None:
        """Fit the maps to the unfiltered vectors of all users, shape (users, width)."""
        matrices, offsets = rule.fit(vectors, self.groups.numpy())
        with torch.no_grad():
            self.matrices.copy_(torch.from_numpy(matrices))
            self.offsets.copy_(torch.from_numpy(offsets))
