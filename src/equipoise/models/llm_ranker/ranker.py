"""A model's best items put in order by a language model."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, PositiveInt, model_validator

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.endpoint import AnswerError
from equipoise.errors import ModelError
from equipoise.language.generators import generator
from equipoise.language.vectors import Vectors
from equipoise.models import registry
from equipoise.models.histories import Histories
from equipoise.models.llm_ranker import answers, likelihood
from equipoise.models.llm_ranker.desk import Desk, Mode
from equipoise.models.llm_ranker.outlay import Call, drawn
from equipoise.models.llm_ranker.placing import Floats, Ints, falling, placed
from equipoise.models.llm_ranker.questions import Case
from equipoise.models.llm_ranker.texts import ItemTexts
from equipoise.models.ranking import top_k
from equipoise.models.recommender import Fitted, Recommender, Saved, Scores
from equipoise.models.training import Training
from equipoise.progress import track

log = logging.getLogger(__name__)


class LLMRanker(Recommender):
    """A model whose best unseen items are put in order by a language model, within limits.

    The language model judges each candidate, as its log-probability or as an answer; how far a judgement moves an item
    is limited by `reach`. Texts of items are cleaned (`language.untrusted`) and reach the model as data, never as
    instructions; answers are numbers of candidates, so that no item can be invented.

    With `isolated`, each candidate is judged in a question of its own, and no text of an item changes the order of two
    others, but for what users find in their own history and for what the base reads of texts.

    Cost: per list `shifts` questions (`pool` where isolated), twice as many where calibrated; where isolated, what is
    asked without a history is asked once per item. `lists` limits for how many users of one call it is asked, also
    where the ranker is a part of another model. Nothing is trained.
    """

    name: ClassVar[str] = "llm_ranker"

    base: dict[str, Any]
    """The model whose lists are put in order, with its name and its fields: `{name = "ease", reg = 300}`."""

    generator: str = "smollm2"
    """The language model, as generators are named: `smollm2`, `hf:<name or folder>`, `openai:<model>`."""

    settings: dict[str, Any] = Field(default_factory=dict)
    """Settings of the generator."""

    pool: int = Field(20, ge=2, le=100)
    """Items of each list that are put in order; all others stay below them, in the order of the base."""

    mode: Mode = "auto"
    """`likelihood`: by the log-probability of candidates; `answer`: by a JSON answer; `auto`: the first where the
    generator can, else the second."""

    isolated: bool = False
    """Whether each candidate is judged without the others."""

    shifts: PositiveInt = 4
    """Cyclic shifts in which candidates are shown, so that their places count less; at most as many as candidates. One
    of them is the order of the base. Means nothing where isolated."""

    calibrated: bool = True
    """Whether what the model says without a history is taken off, so that usual names are not preferred."""

    reach: NonNegativeInt | None = 10
    """Most places that an item moves against the base; None: as many as it may, by the language model alone."""

    history: PositiveInt = 10
    """Last items of a history that are shown."""

    columns: tuple[str, ...] = ()
    """Columns of the items that are shown, the name first; none: the first text column."""

    characters: PositiveInt = 120
    """Most characters shown of an item."""

    lists: PositiveInt | None = 1000
    """Most lists that it is asked for in one call: those of users drawn by the seed, always the same first. All others
    keep the base's order, which is said and counted; None: none does."""

    retries: NonNegativeInt = 2
    """How often a malformed answer is asked for again, with what was wrong; after that the base's order is kept."""

    @model_validator(mode="after")
    def _build(self) -> Self:
        self.member()
        generator(self.generator, **self.settings)
        return self

    def member(self) -> Recommender:
        """The base.

        Raises:
            ConfigError: if it has no name, or is not usable.
        """
        return registry.models.nested(self.base, owner="The base of the ranker")

    def desk(self) -> Desk:
        """The generator, to be opened when it is asked."""
        return Desk(generator(self.generator, **self.settings), self.mode)

    @classmethod
    def fitted(cls) -> type[FittedLLMRanker]:
        """The class of what `fit` returns."""
        return FittedLLMRanker

    def fit(
        self,
        data: Dataset,
        *,
        valid: Dataset | None = None,
        vectors: Vectors | None = None,
        training: Training | None = None,
        runtime: Runtime | None = None,
    ) -> FittedLLMRanker:
        """Fit the base and read the texts; the language model is not asked yet.

        Raises:
            ModelError: if there are no texts.
        """
        catalogue, histories = self.begin(data, training)
        texts = ItemTexts.of(data.items, catalogue, self.columns or data.text[:1], self.characters)
        base = self.member().fit(data, valid=valid, vectors=vectors, training=training, runtime=runtime)
        return FittedLLMRanker(
            config=self,
            catalogue=catalogue,
            histories=histories,
            base=replace(base, catalogue=catalogue, histories=histories),
            texts=texts,
            desk=self.desk(),
        )


@dataclass(frozen=True, kw_only=True)
class FittedLLMRanker(Fitted):
    """A fitted model whose lists a language model puts in order.

    Attributes:
        base: The fitted model.
        texts: What is shown of items.
        desk: The language model and what became of its answers.
    """

    config: LLMRanker
    base: Fitted
    texts: ItemTexts = field(repr=False)
    desk: Desk = field(repr=False, compare=False)

    @property
    def scores_cold_items(self) -> bool:
        """Whether the base does; an item that it cannot judge never comes among those that are put in order."""
        return self.base.scores_cold_items

    @property
    def parts(self) -> Mapping[str, Fitted]:
        """The base."""
        return {"base": self.base}

    @property
    def diagnostics(self) -> dict[str, Any]:
        """What became of all lists so far (see `Tally`), and what answered."""
        return self.desk.diagnostics()

    def score(self, users: NDArray[np.int64], histories: Histories) -> Scores:
        """The base's scores, given to the best unseen items in their new order.

        Scores belong to places: the new first has that of the base's first. Where the base has equal scores among
        them, they are told apart by the smallest steps there are.

        Raises:
            EndpointError: if a server is away or refuses, or the budget is used up.
            ModelError: if the language model cannot be loaded, or the first three lists are beyond it.
        """
        scores = self.base.score(users, histories).copy()
        call = self.desk.call or Call(self.desk, np.ones(len(users), dtype=bool))
        asked, fresh, tally = call.block(len(users)), self._fresh(histories), self.desk.tally
        pools = [(row, pool) for row, pool in enumerate(self._pools(scores, fresh)) if asked[row]]
        for row, pool in track(pools, "asking a language model", show=self.desk.runtime.progress):
            before = tally.questions
            order = self._order(histories.take([row]), pool)
            call.listed(tally.questions > before)
            if order is not None:
                rest = np.where(fresh[row], scores[row], -np.inf)
                rest[pool] = -np.inf
                scores[row, pool[order]] = falling(scores[row, pool], rest.max(initial=-np.inf))
        return scores

    def reading(self, items: Any) -> Self:
        """The same model with other texts of its items, without training; the base is left as it is.

        Args:
            items: Items table of any engine; an item that it lacks has no text any more.

        Raises:
            DataError: if a column that is shown does not exist.
        """
        texts = ItemTexts.of(items, self.catalogue, self.texts.columns, self.config.characters)
        return replace(self, texts=texts)

    def pools(self, users: NDArray[np.int64], histories: Histories) -> list[Ints]:
        """The items of each list that are put in order, best first by the base, as rows of the catalogue."""
        return self._pools(self.base.score(users, histories), self._fresh(histories))

    def case(self, past: Histories, items: Ints) -> Case:
        """What is asked about one history and candidates in this order, all of which have a name."""
        steps = past.items[past.items >= 0]
        shown = [self.texts.texts[step] for step in steps if self.texts.texts[step]]
        return Case(
            tuple(shown[-self.config.history :]),
            tuple(self.texts.names[item] for item in items),
            tuple(self.texts.texts[item] for item in items),
        )

    def leanings(self, case: Case, shifts: int | None = None) -> Floats | None:
        """What the language model says of each candidate, in [-1, 1], before limits.

        Args:
            case: What is at choice.
            shifts: Cyclic shifts to ask in; as configured by default.

        Returns:
            NaN for a candidate that it says nothing of; None where its answers are malformed.

        Raises:
            EquipoiseError: if there is no answer at all.
        """
        desk, config = self.desk, self.config
        wanted, calibrated = config.shifts if shifts is None else shifts, config.calibrated
        if desk.by_likelihood and config.isolated:
            return likelihood.alone(desk, case, calibrated=calibrated)
        if desk.by_likelihood:
            return likelihood.of_list(desk, case, wanted=wanted, calibrated=calibrated)
        if config.isolated:
            return answers.alone(desk, case, calibrated=calibrated, retries=config.retries)
        return answers.of_list(desk, case, wanted=wanted, calibrated=calibrated, retries=config.retries)

    @property
    def most_lists(self) -> int | None:
        """As many as `lists` says."""
        limits = (self.config.lists, super().most_lists)
        return min((limit for limit in limits if limit is not None), default=None)

    @contextmanager
    def call(self, rows: Ints, runtime: Runtime) -> Iterator[bool]:
        """The language model is asked for no more than `lists` lists of a call, and runs as `runtime` says."""
        desk = self.desk
        asked = drawn(rows, len(self.catalogue.users), self.config.lists, runtime)
        before, around, desk.runtime = desk.tally.kept_base, desk.call, runtime
        if left := int((~asked).sum()):
            desk.tally.left_out += left
            log.warning(
                "The language model is asked for %s of %s lists; the others keep the base's order, so that measures "
                "over all of them tell of the base above all. Set 'lists' of the llm_ranker for more.",
                f"{len(rows) - left:,}",
                f"{len(rows):,}",
            )
        desk.call = Call(desk, asked)
        try:
            with super().call(rows, runtime):
                yield True
        finally:
            desk.call = around
        kept = desk.tally.kept_base - before
        if kept and not desk.remembers:
            log.warning(
                "The language model gave no usable answer on %d of %d lists, which keep the base's order. Of the last "
                "one: %s",
                kept,
                len(rows) - left,
                desk.fault,
            )

    def calibrate(self, valid: Dataset, runtime: Runtime | None = None, *, exclude_seen: bool = True) -> Self:
        """The same model with the probabilities of the base.

        A probability belongs to a score, and so to a place: what the base's item in that place would have. The language
        model is not asked for thousands of users to learn how it changes them.
        """
        base = replace(self.base, histories=self.histories)
        return replace(
            self, calibration=base.calibrate(valid, runtime, exclude_seen=exclude_seen).calibration
        )

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        """The texts."""
        return self.texts.arrays()

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        """The inverse of `arrays`; the language model is not saved, and opened by its name again."""
        texts = ItemTexts.restore(saved.arrays)
        return cls(base=saved.parts["base"], texts=texts, desk=saved.config.desk(), **saved.shared)

    def _fresh(self, histories: Histories) -> NDArray[np.bool_]:
        """Which items may be put in order, shape (rows, items): unseen, and judged by the base."""
        fresh = ~histories.marked(len(self.catalogue.items))
        return fresh if self.base.scores_cold_items else fresh & (self.catalogue.item_counts > 0)

    def _pools(self, scores: Scores, fresh: NDArray[np.bool_]) -> list[Ints]:
        best = top_k(np.where(fresh, scores, -np.inf), self.config.pool)
        there = np.take_along_axis(fresh, best, axis=1)
        return [row[known] for row, known in zip(best, there, strict=True)]

    def _order(self, past: Histories, pool: Ints) -> Ints | None:
        """The new order of a pool, as places in the old one; None where it stays."""
        tally = self.desk.tally
        tally.lists += 1
        named = np.array([bool(self.texts.names[item]) for item in pool], dtype=bool)
        case = self.case(past, pool[named])
        if not case.history:
            tally.no_history += 1
            return None
        if len(case) < (
            1 if self.config.isolated else 2
        ):  # apart, what is said of one may depend on no other
            tally.too_few += 1
            return None
        self.desk.open()
        try:
            said = self.leanings(case)
        except (ModelError, AnswerError) as error:
            self.desk.failed(error)
            return None
        if said is None:
            self.desk.failed(None)
            return None
        leanings = np.full(len(pool), np.nan)
        leanings[named] = said
        order = placed(leanings, self.config.reach)
        tally.judged += 1
        tally.unjudged += int(np.isnan(leanings).sum())
        tally.moved += int((order != np.arange(len(order))).sum())
        return order
