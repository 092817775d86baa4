"""The heads of side tasks, trained as one, and how their losses are weighed against the model's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from equipoise.debias.during.tasks.labels import EventLabels, ItemLabels
from equipoise.models.training import Step

Balance = Literal["uncertainty", "gradients", "equal"]

_MEMORY = 0.9  # of the moving averages of gradients' norms, per step


class PairReader(nn.Module):
    """One number from a user and an item: linear in both vectors and in their product, number by number."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.product = nn.Linear(width, 1)
        self.apart = nn.Linear(2 * width, 1, bias=False)
        with torch.no_grad():  # as in the model's own score, so that both tasks pull vectors one way
            self.product.weight.fill_(1 / math.sqrt(width))

    def forward(self, users: Tensor, items: Tensor) -> Tensor:
        """Shapes (n, width) and (n, width) to (n,)."""
        read: Tensor = self.product(users * items) + self.apart(torch.cat([users, items], 1))
        return read[:, 0]


class Readers(nn.Module):
    """A reader per task, with what the balance learns: log-variances, or norms of gradients."""

    def __init__(self, tasks: Sequence[EventLabels | ItemLabels], width: int) -> None:
        super().__init__()
        self.readers = nn.ModuleList(
            PairReader(width) if isinstance(task, EventLabels) else nn.Linear(width, len(task.labels))
            for task in tasks
        )
        self.log_variance = nn.Parameter(torch.zeros(len(tasks)))
        # parameters that no gradient moves: kept with an interrupted training
        self.own_norm = nn.Parameter(torch.zeros(()), requires_grad=False)
        self.norms = nn.Parameter(torch.zeros(len(tasks)), requires_grad=False)


@dataclass(frozen=True)
class SideTasks:
    """A head with a reader per task; user representations and item vectors are the trunk they share with the model.

    The loss is `strength` times the sum over tasks of `w_t L_t`, where a task without a label in the batch is left out
    and the model's own loss has weight 1. Weights by `balance`:

    - `uncertainty`: `exp(-s_t)` (half of it for numbers) with `s_t / 2` added, each log-variance `s_t` being learned
      (Kendall, Gal and Cipolla 2018, "Multi-task learning using uncertainty to weigh losses", section 3.2); the model's
      own loss is not weighed;
    - `gradients`: the ratio of the norm of the gradient of the model's own loss to that of the task's, both at the
      item vectors, which all tasks share, and both as moving averages. It is what GradNorm (Chen, Badrinarayanan, Lee
      and Rabinovich 2018, section 3) aims at with alpha 0, set directly instead of learned;
    - `equal`: 1.

    Attributes:
        tasks: Labels.
        balance: As above.
        strength: Factor of all side tasks together.
        name: Under which the parameters are kept.
    """

    tasks: tuple[EventLabels | ItemLabels, ...]
    balance: Balance
    strength: float
    name: str = "tasks"

    def build(self, width: int) -> Readers:
        """The readers, for representations of this width."""
        return Readers(self.tasks, width)

    def loss(self, network: nn.Module, step: Step) -> Tensor:
        """The weighted sum of the tasks' losses on a batch."""
        assert isinstance(network, Readers)
        losses = [
            _of_events(task, reader, step) if isinstance(task, EventLabels) else _of_items(task, reader, step)
            for task, reader in zip(self.tasks, network.readers, strict=True)
        ]
        found = {place: loss for place, loss in enumerate(losses) if loss is not None}
        if not found:
            return step.items.new_zeros(())
        if self.balance == "gradients":
            return self._by_gradients(network, found, step.items)
        if self.balance == "equal":
            return self.strength * torch.stack([*found.values()]).sum()
        weighed = []
        for place, loss in found.items():
            s, factor = network.log_variance[place], 0.5 if self.tasks[place].kind == "number" else 1.0
            weighed.append(factor * torch.exp(-s) * loss + s / 2)
        return self.strength * torch.stack(weighed).sum()

    def _by_gradients(self, network: Readers, losses: dict[int, Tensor], items: Tensor) -> Tensor:
        """Measure the tasks' gradients now; that of the model's own loss is what the backward pass brings beside
        them, so that its norm is one step old when it is used.
        """
        side = torch.zeros_like(items)
        weighed = []
        for place, loss in losses.items():
            (gradient,) = torch.autograd.grad(loss, items, retain_graph=True)
            network.norms[place].lerp_(gradient.norm(), 1 - _MEMORY)
            weight = self.strength * network.own_norm / network.norms[place].clamp_min(1e-12)
            side += weight * gradient
            weighed.append(weight * loss)

        def learn(total: Tensor) -> None:
            network.own_norm.lerp_((total - side).norm(), 1 - _MEMORY)
            handle.remove()

        handle = items.register_hook(learn)  # type: ignore[no-untyped-call]
        return torch.stack(weighed).sum()


def _of_events(task: EventLabels, reader: nn.Module, step: Step) -> Tensor | None:
    """Squared error or cross-entropy of the examples with a label, weighed as these are."""
    keys = torch.from_numpy(task.keys)
    asked = step.users * task.items + step.targets
    place = torch.searchsorted(keys, asked).clamp_max(len(keys) - 1)
    rows = (keys[place] == asked).nonzero()[:, 0]
    if not len(rows):
        return None
    labels = torch.from_numpy(task.values)[place[rows]]
    told = reader(step.representations[rows], step.items[step.targets[rows]])
    if task.kind == "number":
        losses = (told - labels).square()
    else:
        losses = functional.binary_cross_entropy_with_logits(told, labels, reduction="none")
    weighed: Tensor = (losses * step.weights[rows]).sum() / len(rows)
    return weighed


def _of_items(task: ItemLabels, reader: nn.Module, step: Step) -> Tensor:
    """Cross-entropy over all labelled items, whatever the batch: an item is as well described as any other, however few
    events it has.
    """
    told = reader(step.items[torch.from_numpy(task.rows)])
    labels = torch.from_numpy(task.values)
    if task.kind == "share":
        return functional.cross_entropy(told, labels)
    each = functional.binary_cross_entropy_with_logits(told, labels, reduction="none")
    return each.sum(1).mean()
