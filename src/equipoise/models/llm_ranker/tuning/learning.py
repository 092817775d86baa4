"""A ranker's language model at school: the chosen candidate is to be the likeliest, where the ranker reads that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from equipoise.component import Runtime
from equipoise.errors import ModelError
from equipoise.language.finetuning.loop import Learning
from equipoise.language.finetuning.settings import RankerTuning
from equipoise.language.generators import Prompt
from equipoise.models.llm_ranker.desk import Desk
from equipoise.models.llm_ranker.placing import placed
from equipoise.models.llm_ranker.questions import Case, name_next, name_next_of
from equipoise.models.llm_ranker.tuning.examples import Example, HeldOut, Lessons
from equipoise.models.llm_ranker.tuning.network import Network


class RankerLearning(Learning):
    """Learns by the softmax over the candidates' scores, which are those that the ranker orders by.

    A score is the mean log-probability per token of a candidate's name after the ranker's own question, and where the
    ranker is calibrated, less that after the question without a history.

    Args:
        network: What learns.
        lessons: What it learns from, and is judged by.
        settings: Budget, temperature, length of lists.
        runtime: Seed, threads, progress.

    Raises:
        ModelError: if all questions are longer than the model reads.
    """

    unit: ClassVar[str] = "choices"
    advice: ClassVar[str] = "Give [finetune_ranker] more minutes, or fewer checks, held_out and candidates."

    def __init__(self, network: Network, lessons: Lessons, settings: RankerTuning, runtime: Runtime) -> None:
        super().__init__(network, settings, runtime)
        self.model_in_training, self.ranker = network, lessons.model
        self.temperature, self.k = settings.temperature, settings.k
        self.learned = [one for one in lessons.learned if self._fits(one.case)]
        self.held_out = [one for one in lessons.held_out if self._fits(one.case)]
        if not self.learned or len(self.held_out) < 2:
            raise ModelError(
                "The questions are longer than the language model reads",
                where=f"{len(lessons.learned):,} questions",
                todo="Set fewer characters, history or candidates.",
            )

    @property
    def examples(self) -> int:
        """How many choices there are to learn from."""
        return len(self.learned)

    def batch(self, rows: Any) -> Sequence[Example]:
        """The choices of these rows."""
        return [self.learned[row] for row in rows]

    def gradient(self, batch: Sequence[Example]) -> Tensor:
        """The gradient of the mean loss, one choice after another, so that memory holds one question."""
        total = torch.zeros((), dtype=torch.float64)
        for one in batch:
            scores = self.scores(one.case) / self.temperature
            target = torch.tensor([one.chosen], device=scores.device)
            loss = functional.cross_entropy(scores[None], target) / len(batch)
            loss.backward()  # type: ignore[no-untyped-call]
            total += loss.detach().cpu()
        return total.float()

    def scores(self, case: Case) -> Tensor:
        """What the ranker orders the candidates of a question by, before limits; shape (candidates,)."""
        own = self.model_in_training.likelihoods(self._question(case, case.history), case.names)
        if not self.ranker.config.calibrated:
            return own
        return own - self.model_in_training.likelihoods(self._question(case, ()), case.names)

    def judged(self) -> Tensor:
        """NDCG of each held-out choice in the list as the ranker would put it in order, candidates in one shift."""
        desk = Desk(self.model_in_training.base, "likelihood")
        desk.writer = self.model_in_training.writer()
        ranker = replace(self.ranker, desk=desk)
        return torch.tensor([self._gain(ranker.leanings(one.case, 1), one) for one in self.held_out])

    def value(self, judged: Tensor) -> float:
        """The mean of every other one."""
        return float(judged[::2].mean())

    def _gain(self, said: Any, one: HeldOut) -> float:
        leanings = np.full(len(one.named), np.nan)
        leanings[one.named] = said
        order = placed(leanings, self.ranker.config.reach)
        place = int(np.flatnonzero(order == one.chosen)[0])
        return float(1 / np.log2(place + 2)) if place < self.k else 0.0

    def _question(self, case: Case, history: Sequence[str]) -> Prompt:
        return name_next(history) if self.ranker.config.isolated else name_next_of(history, case.texts)

    def _fits(self, case: Case) -> bool:
        return self.model_in_training.fits(self._question(case, case.history), case.names)
