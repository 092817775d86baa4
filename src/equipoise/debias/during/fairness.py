"""Differences between groups of users as terms of a loss, estimated on the examples of a step."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from equipoise.models.training import Step

_CELLS = 4_000_000  # scores of a step, beyond which examples are left out
_LOOK = 25  # steps between two looks at lists
_USERS, _K = 256, 10
_ALIKE = 0.7


@dataclass
class Penalty:
    """The term times its strength; an extra loss.

    Attributes:
        codes: Group of each user of the catalogue, -1 where it is not known; int64 of shape (users,).
        warm: Items with training events, which alone compete; int64.
        term: Which term; `auto` is `value` where the model reads ratings and `loss` where it does not.
        strength: Its weight.
        told: What is reported, kept up to date: `term` that is used, `alike`, and a warning where lists are alike.
        steps: Steps so far.
    """

    codes: NDArray[np.int64]
    warm: NDArray[np.int64]
    term: str
    strength: float
    told: dict[str, Any] = field(default_factory=dict, compare=False)
    steps: int = field(default=0, compare=False)

    def __call__(self, step: Step) -> Tensor:
        """The scalar to add to the loss."""
        term = ("loss" if step.values is None else "value") if self.term == "auto" else self.term
        self.told["term"] = term
        if self.steps % _LOOK == 0:
            self._look(step)
        self.steps += 1
        groups = torch.from_numpy(self.codes)[step.users]
        if term == "loss":
            return self.strength * of_losses(*self._losses(step, groups))
        assert step.values is not None
        rated = ~step.values.isnan()
        said = (step.representations[rated] * step.items[step.targets[rated]]).sum(1)
        return self.strength * of_ratings(term, said, step.values[rated], step.targets[rated], groups[rated])

    def _losses(self, step: Step, groups: Tensor) -> tuple[Tensor, Tensor]:
        """Cross-entropy of the examples' items among all, and their groups."""
        n = max(1, _CELLS // len(self.warm))
        said = step.representations[:n] @ step.items[torch.from_numpy(self.warm)].T
        own = (step.representations[:n] * step.items[step.targets[:n]]).sum(1)
        return said.logsumexp(1) - own, groups[:n]

    @torch.no_grad()
    def _look(self, step: Step) -> None:
        """Tell how alike the lists of the batch's users are."""
        _, first = np.unique(step.users.numpy(), return_index=True)
        said = (
            step.representations[torch.from_numpy(first[:_USERS])] @ step.items[torch.from_numpy(self.warm)].T
        )
        self.told["alike"] = alike(said, _K)
        kept = [one for one in self.told.get("warnings", []) if not one.startswith(_COLLAPSED)]
        collapsed = f"{_COLLAPSED} {self.told['alike']:.0%} of all places go to the {_K} commonest items. Groups fare "
        collapsed += "alike where everybody gets the same list; that is no fairness."
        self.told["warnings"] = [*kept, *([collapsed] * (self.told["alike"] > _ALIKE))]


_COLLAPSED = "Lists are nearly the same for all:"


def of_ratings(term: str, said: Tensor, true: Tensor, items: Tensor, groups: Tensor) -> Tensor:
    """Unfairness of what is said of ratings (Yao and Huang 2017, equations 6 to 10), mean over groups.

    Args:
        term: value, absolute, under, over or non_parity.
        said: Shape (n,).
        true: Shape (n,).
        items: Of each rating, int64 of shape (n,).
        groups: Of each rating's user, -1 where it is not known, int64 of shape (n,).

    Returns:
        A scalar of at least 0; 0 where no two groups can be compared.
    """
    if term == "non_parity":
        values = [(said[member].mean() - said[others].mean()).abs() for member, others in _contrasts(groups)]
    else:
        values = [_apart(_SIDES[term], said - true, items, *contrast) for contrast in _contrasts(groups)]
    return torch.stack(values).mean() if values else said.sum() * 0


def of_losses(losses: Tensor, groups: Tensor) -> Tensor:
    """By how much the mean loss of the worse-off is above that of the others, which is held still; mean over groups.

    Args:
        losses: Of each example, shape (n,).
        groups: Of each example's user, -1 where it is not known, int64 of shape (n,).
    """
    values = []
    for member, others in _contrasts(groups):
        one, two = losses[member].mean(), losses[others].mean()
        values.append(one - two.detach() if bool(one > two) else two - one.detach())
    return torch.stack(values).mean() if values else losses.sum() * 0


def alike(said: Tensor, k: int) -> float:
    """Share of the places of all lists that the `k` commonest items have; 1 where all lists are the same.

    Args:
        said: Scores, shape (users, items).
        k: Length of the lists.
    """
    k = min(k, said.shape[1])
    count = torch.bincount(said.topk(k, dim=1).indices.ravel(), minlength=said.shape[1])
    return float(count.topk(k).values.sum() / count.sum())


def _contrasts(groups: Tensor) -> list[tuple[Tensor, Tensor]]:
    """Each group against all others: which examples are of it, which of them; two groups make one contrast."""
    present = [code for code in np.unique(groups.numpy()).tolist() if code >= 0]
    if len(present) < 2:
        return []
    codes = present[:1] if len(present) == 2 else present
    return [(groups == code, (groups >= 0) & (groups != code)) for code in codes]


_SIDES: Mapping[str, Callable[[Tensor], Tensor]] = {
    "value": lambda error: error,
    "absolute": torch.abs,
    "under": lambda error: (-error).clamp_min(0),
    "over": lambda error: error.clamp_min(0),
}
"""What counts of an item's mean error in a group."""


def _apart(
    side: Callable[[Tensor], Tensor], error: Tensor, items: Tensor, member: Tensor, others: Tensor
) -> Tensor:
    """Mean over items that both have rated of how far what counts of their mean errors is apart."""
    kinds, inverse = np.unique(items.numpy(), return_inverse=True)
    place = torch.from_numpy(inverse)
    means, counts = [], []
    for rows in (member, others):
        count = torch.zeros(len(kinds)).index_add(0, place[rows], torch.ones(int(rows.sum())))
        total = torch.zeros(len(kinds)).index_add(0, place[rows], error[rows])
        means.append(total / count.clamp_min(1))
        counts.append(count)
    both = (counts[0] > 0) & (counts[1] > 0)
    if not bool(both.any()):
        return error.sum() * 0
    return (side(means[0]) - side(means[1]))[both].abs().mean()
