"""The course of a training: what was planned, what validation said on the way, and how it is kept."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from equipoise.errors import ModelError


class Moving:
    """What is trained.

    Attributes:
        parameters: The weights that move, by name.
    """

    parameters: dict[str, Tensor]

    def snapshot(self) -> dict[str, Tensor]:
        """A copy of the weights that move."""
        return {name: weights.detach().cpu().clone() for name, weights in self.parameters.items()}

    def restore(self, snapshot: dict[str, Tensor]) -> None:
        """Put such a copy back."""
        with torch.no_grad():
            for name, weights in self.parameters.items():
                weights.copy_(snapshot[name])


@dataclass(frozen=True)
class Check:
    """One look at validation.

    Attributes:
        step: Steps done before.
        loss: Mean loss of the steps since the last look; None before the first step.
        value: Mean over the users to stop by.
    """

    step: int
    loss: float | None
    value: float


@dataclass(frozen=True)
class Plan:
    """What training will cost, told before it begins.

    Attributes:
        steps: Steps that fit.
        seconds_per_step: As timed.
        seconds_per_check: As timed.
        checks: Looks at validation after the first.
        examples: Training examples there are.
        batch: Examples per step.
        unit: What they are, in the plural.
    """

    steps: int
    seconds_per_step: float
    seconds_per_check: float
    checks: int
    examples: int
    batch: int
    unit: str

    @property
    def seconds(self) -> float:
        """Time in all."""
        return self.steps * self.seconds_per_step + self.checks * self.seconds_per_check

    @property
    def looks(self) -> frozenset[int]:
        """The steps after which validation is looked at, evenly apart; the last one among them."""
        return frozenset(round(self.steps * look / self.checks) for look in range(1, self.checks + 1))

    def __str__(self) -> str:
        return (
            f"{self.steps:,} steps of {self.batch} {self.unit} at {self.seconds_per_step:.2f} s, {self.checks} checks "
            f"at {self.seconds_per_check:.1f} s: about {self.seconds / 60:.1f} minutes, in which "
            f"{min(self.steps * self.batch / self.examples, 1):.0%} of {self.examples:,} {self.unit} are seen"
        )


@dataclass
class Course:
    """A training on its way.

    Attributes:
        plan: What was planned.
        checks: Looks at validation so far, the first before training.
        best: Steps after which validation was best; 0 where nothing was better than the base.
        weights: The weights that moved, as they were then.
        before: What the base made of each held-out example, of shape (held-out examples,).
        after: The same with the best weights.
        seconds: Time it took.
        stopped: Why it ended: `planned steps`, `no better` or `time`; empty while it goes on.
    """

    plan: Plan
    checks: list[Check]
    best: int
    weights: dict[str, Tensor]
    before: Tensor
    after: Tensor
    seconds: float = 0.0
    stopped: str = ""

    @property
    def steps(self) -> int:
        """Steps done at the last look."""
        return self.checks[-1].step

    @property
    def stale(self) -> int:
        """Looks since the best one."""
        return sum(check.step > self.best for check in self.checks)

    def as_dict(self) -> dict[str, Any]:
        """What a manifest says of it, as JSON values."""
        return {
            "plan": asdict(self.plan),
            "checks": [asdict(check) for check in self.checks],
            "steps": self.steps,
            "epochs": self.steps * self.plan.batch / self.plan.examples,
            "best_step": self.best,
            "stopped": self.stopped,
            "seconds": round(self.seconds, 1),
        }


def keep(
    path: Path, identity: str, course: Course, network: Moving, optimiser: torch.optim.Optimizer
) -> None:
    """Write all that is needed to go on, whole or not at all.

    Args:
        path: File to write.
        identity: What is trained on what, and how; another training does not go on from it.
        course: The training so far.
        network: With the weights as they are now.
        optimiser: With its moments, in the order of the network's parameters.
    """
    moments = optimiser.state_dict()["state"]
    tensors = {
        **_under("now", network.snapshot()),
        **_under("best", course.weights),
        **{f"moment.{place}.{key}": value for place, kept in moments.items() for key, value in kept.items()},
        "found.before": course.before,
        "found.after": course.after,
    }
    said = {
        "plan": asdict(course.plan),
        "checks": [asdict(check) for check in course.checks],
        "best": course.best,
        "seconds": course.seconds,
    }
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        save_file(
            {name: tensor.clone() for name, tensor in tensors.items()},
            draft,
            metadata={"identity": identity, "course": json.dumps(said)},
        )
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def resume(path: Path, identity: str, network: Moving, optimiser: torch.optim.Optimizer) -> Course:
    """The course kept in a file; network and optimiser are put back to where they were.

    Raises:
        ModelError: if the file is damaged, or of another training.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata: Mapping[str, str] = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (SafetensorError, OSError) as error:
        raise ModelError(
            f"What was kept of the training cannot be read: {error}",
            where=str(path),
            todo="Delete it to start anew.",
        ) from error
    if metadata.get("identity") != identity:
        raise ModelError(
            "An interrupted training in this folder had other settings, other data or another base",
            where=str(path),
            todo="Delete it to start anew, or choose another --out.",
        )
    said = json.loads(metadata["course"])
    network.restore(_part(tensors, "now."))
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in _part(tensors, "moment.").items():
        place, _, key = name.partition(".")
        moments.setdefault(int(place), {})[key] = tensor
    optimiser.load_state_dict({**optimiser.state_dict(), "state": moments})
    return Course(
        Plan(**said["plan"]),
        [Check(**check) for check in said["checks"]],
        said["best"],
        _part(tensors, "best."),
        tensors["found.before"],
        tensors["found.after"],
        said["seconds"],
    )


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}.{name}": tensor for name, tensor in tensors.items()}


def _part(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
