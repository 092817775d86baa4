"""Training within a budget of time, stopped by what is held out, whatever it is that learns."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from equipoise.component import Runtime
from equipoise.errors import ConfigError, ModelError
from equipoise.language.finetuning.course import Check, Course, Moving, Plan, keep, resume
from equipoise.language.finetuning.network import slope
from equipoise.language.finetuning.settings import Budget
from equipoise.progress import track

_TRIALS = 2  # steps timed before it begins
_USEFUL = 100  # steps from which on something may be learned
_NORM = 1.0  # longest gradient


class Learning(ABC):
    """A network that learns from examples, and is judged by held-out ones.

    Batches and dropout depend on the seed and the step alone, so a training that goes on does what it would have done.

    Args:
        network: What learns.
        settings: Budget, step size.
        runtime: Seed, threads, progress.
    """

    unit: ClassVar[str]
    """What the examples are, in the plural."""
    advice: ClassVar[str]
    """What to do where there is no time for one step."""

    def __init__(self, network: Moving, settings: Budget, runtime: Runtime) -> None:
        self.network, self.settings, self.runtime = network, settings, runtime
        self._optimiser = torch.optim.AdamW(
            network.parameters.values(), lr=settings.rate, weight_decay=settings.weight_decay
        )

    @property
    @abstractmethod
    def examples(self) -> int:
        """How many examples there are."""

    @abstractmethod
    def batch(self, rows: Any) -> Any:
        """The examples of these rows, int64 of shape (batch,)."""

    @abstractmethod
    def gradient(self, batch: Any) -> Tensor:
        """Put the gradient of a batch's mean loss into the parameters, and return that loss, detached."""

    @abstractmethod
    def judged(self) -> Tensor:
        """What each held-out example says of the network as it stands."""

    @abstractmethod
    def value(self, judged: Tensor) -> float:
        """One number of it, over those whom training is stopped by; higher is better."""

    def run(self, say: Callable[[str], None], kept: Path | None, identity: str) -> Course:
        """Train, and leave the network with the weights that did best.

        Args:
            say: Is told, before training begins, what it will cost.
            kept: File to keep the state in at each look at validation, and to go on from where it is there.
            identity: What must be the same to go on from it.

        Raises:
            ConfigError: if the time is too short for one step and the looks at validation.
            ModelError: if the loss is no number any more, or what was kept is of another training.
        """
        with _threads(self.runtime):
            return self._run(say, kept, identity)

    def _run(self, say: Callable[[str], None], kept: Path | None, identity: str) -> Course:
        begun = time.monotonic()
        if kept is not None and kept.exists():
            course = resume(kept, identity, self.network, self._optimiser)
            say(f"Going on after step {course.steps:,} of: {course.plan}")
        else:
            course = self._begin()
            say(str(course.plan))
        begun -= course.seconds
        plan, losses = course.plan, []
        work = islice(enumerate(self._batches()), course.steps, plan.steps)
        bar = track(work, "fine-tuning", total=plan.steps - course.steps, show=self.runtime.progress)
        for step, batch in bar:
            losses.append(self._step(step, plan.steps, batch))
            passed = time.monotonic() - begun
            late = passed + plan.seconds_per_check > 60 * self.settings.minutes
            if step + 1 not in plan.looks and not late:
                continue
            self._look(course, step + 1, float(np.mean(losses)))
            losses = []
            course.seconds = time.monotonic() - begun
            if step + 1 < plan.steps and course.stale >= self.settings.patience:
                course.stopped = "no better"
            elif step + 1 < plan.steps and late:
                course.stopped = "time"
            if course.stopped:
                break
            if kept is not None:
                keep(kept, identity, course, self.network, self._optimiser)
        course.stopped = course.stopped or "planned steps"
        self.network.restore(course.weights)
        return course

    def _begin(self) -> Course:
        """What the base finds, and how many steps fit; two are timed, without effect on the weights."""
        begun = time.monotonic()
        before = self.judged()
        per_check = time.monotonic() - begun
        settings, begun = self.settings, time.monotonic()
        for batch in islice(self._batches(), _TRIALS):
            self.gradient(batch)
            self._optimiser.zero_grad()
        per_step = (time.monotonic() - begun) / _TRIALS
        aside = (1 + settings.checks) * per_check + _TRIALS * per_step
        steps = min(settings.steps, int((60 * settings.minutes - aside) / per_step))
        if steps < 1:
            raise ConfigError(
                "The time is too short for training",
                where=f"{settings.minutes:g} minutes; a step takes {per_step:.2f} s, and each of "
                f"{settings.checks + 1} checks {per_check:.1f} s",
                todo=f"{self.advice} {_enough(aside, per_step, settings.steps)}",
            )
        size = min(settings.batch, self.examples)
        plan = Plan(steps, per_step, per_check, min(settings.checks, steps), self.examples, size, self.unit)
        checks = [Check(0, None, self.value(before))]
        seconds = per_check + _TRIALS * per_step
        return Course(plan, checks, 0, self.network.snapshot(), before, before, seconds)

    def _look(self, course: Course, step: int, loss: float) -> None:
        found = self.judged()
        highest = max(check.value for check in course.checks)
        course.checks.append(Check(step, loss, self.value(found)))
        if course.checks[-1].value > highest:
            course.best, course.weights, course.after = step, self.network.snapshot(), found

    def _batches(self) -> Iterator[Any]:
        """Examples in an order of their own for each pass; what does not fill a batch waits for the next pass."""
        size, passed = min(self.settings.batch, self.examples), 0
        while True:
            order = self.runtime.rng("finetune", passed).permutation(self.examples)
            for start in range(0, len(order) - size + 1, size):
                yield self.batch(order[start : start + size])
            passed += 1

    def _step(self, step: int, steps: int, batch: Any) -> float:
        torch.manual_seed(int(self.runtime.rng("dropout", step).integers(2**62)))
        for group in self._optimiser.param_groups:
            group["lr"] = self.settings.rate * slope(step, steps, self.settings.warmup)
        self._optimiser.zero_grad()
        loss = self.gradient(batch)
        size = torch.nn.utils.clip_grad_norm_(self.network.parameters.values(), _NORM)
        if not torch.isfinite(torch.stack([loss, size])).all():
            raise ModelError(
                "Fine-tuning fell apart: the loss or its gradient is no number any more",
                where=f"step {step + 1}",
                todo="Take a lower learning_rate, or a higher temperature.",
            )
        self._optimiser.step()
        return loss.item()


@contextmanager
def _threads(runtime: Runtime) -> Iterator[None]:
    """Hold torch to the threads allowed, and leave its random numbers as they were."""
    before = torch.get_num_threads()
    torch.set_num_threads(runtime.cores)
    try:
        with torch.random.fork_rng():
            yield
    finally:
        torch.set_num_threads(before)


def _enough(aside: float, per_step: float, most: int) -> str:
    """How many minutes would do, rounded up, for one step and for as many as are of use."""

    def minutes(steps: int) -> str:
        return f"{math.ceil((aside + steps * per_step) / 6) / 10:g}"

    useful = min(_USEFUL, most)
    return f"By these times, minutes = {minutes(1)} does for one step, and {minutes(useful)} for {useful}."
