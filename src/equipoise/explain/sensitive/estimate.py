"""Parts of a score by path: histories redrawn as the attribute would have made them, and the model's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit
from threadpoolctl import threadpool_limits

from equipoise.errors import DataError
from equipoise.explain.question import Asker
from equipoise.explain.sensitive.mechanisms import Mechanisms
from equipoise.explain.sensitive.result import Along, Sensitive
from equipoise.explain.sensitive.routes import SCORE, Route
from equipoise.models.histories import Histories, Ints
from equipoise.models.recommender import Fitted
from equipoise.statistics import Interval

_MOST = 32  # draws of each kind
_LEAST = 4  # draws below which there is hardly an interval
_LEVEL = 0.95

Floats = NDArray[np.float64]

_ASSUMPTIONS = (
    "The graph is right and complete: what it does not lead to from '{attribute}' stays as it was.",
    "Each number is a function of its causes plus a noise of its own, which is the person's and stays; the functions "
    "are fitted to the training events of all users.",
    "Items are redrawn near to the person's own so that the features are as they would have been; which items those "
    "would have been is modelled, not known. A new item takes the time, the weight and the value of the one whose "
    "place it takes, and searches stay. Places are counted among the items that compete for the list now, whatever a "
    "redrawn history holds.",
)


class Redrawn(Protocol):
    """Draws histories of a person that have other features."""

    def __call__(self, wanted: Sequence[Mapping[str, float]], noise: Ints) -> Histories:
        """Histories, one for each entry.

        Args:
            wanted: Features by name; what is not named stays as it was.
            noise: Entries with the same number are drawn with the same noise.
        """


@dataclass(frozen=True)
class Case:
    """Of whom, and by which graph.

    Attributes:
        attribute: A column of the users.
        value: What the person has.
        instead: What it is held against.
        graph: What causes what, as text.
        person: Value of each variable of the graph, for the person.
        routes: Where the arrows out of the attribute lead.
        mechanisms: Fitted; None where no route is to be followed.
        redrawn: Draws histories.
        otherwise: The model to which the person has the other value; None where the model does not read the attribute,
            or `why` says why there is none.
        why: Why the direct part does not follow from what is known; empty where it does.
    """

    attribute: str
    value: str
    instead: str
    graph: str
    person: Mapping[str, Any]
    routes: tuple[Route, ...]
    mechanisms: Mechanisms | None
    redrawn: Redrawn
    otherwise: Fitted | None = None
    why: str = ""


@dataclass(frozen=True)
class _Draws:
    """Scores and ranks, by the draw; once with the fitted mechanisms, once with those of users drawn anew.

    Attributes:
        fitted: Shape (draws, 2).
        again: The same with mechanisms fitted again, each draw's own.
        moved: What these asked of the history, less what the fitted ones did, shape (draws, features).
    """

    fitted: Floats
    again: Floats
    moved: Floats

    @classmethod
    def still(cls, answers: Floats) -> Self:
        """Answers that no mechanism has a part in."""
        return cls(answers, answers, np.zeros((len(answers), 0)))

    def less(self, other: _Draws) -> _Draws:
        """The difference, draw by draw."""
        moved = np.hstack([self.moved, other.moved])
        return _Draws(self.fitted - other.fitted, self.again - other.again, moved)

    def interval(self, column: int, sign: float) -> Interval:
        """The mean with the fitted mechanisms. Its variance is that of the mean over draws, and that which fitting to
        other users makes, which more draws would not take away.
        """
        fitted, again = sign * self.fitted[:, column], sign * self.again[:, column]
        count, value = len(fitted), float(fitted.mean())
        variance = fitted.var(ddof=1) / count + self._fitting(again - fitted)
        half = float(stdtrit(count - 1, (1 + _LEVEL) / 2) * np.sqrt(variance))
        return Interval(value, value - half, value + half, count)

    def _fitting(self, change: Floats) -> float:
        """Variance that mechanisms fitted to other users make: of the change of the answers, what goes along with the
        change of what is asked. The rest is that histories hold whole items, one more or one less, which is noise of
        the draw. Where more is asked than draws can tell apart, all of it.
        """
        if self.moved.shape[1] > len(change) // 4:
            return float(change.var(ddof=1))
        slopes = np.linalg.lstsq(self.moved, change, rcond=None)[0]
        return float(((self.moved @ slopes) ** 2).sum() / (len(change) - 1))


def sensitive(asker: Asker, case: Case, rng: np.random.Generator) -> Sensitive:
    """What of an item's score runs along which path from an attribute of the user.

    A part is the score as it is less the score, had the attribute another value along the arrow and its own elsewhere
    (path-specific effects of one person: Avin, Shpitser and Pearl 2005; Chiappa 2019, "Path-specific counterfactual
    fairness"; Wu, Zhang, Wu and Tong 2019, "PC-fairness"). Both histories are redrawn with the same noise, so that a
    path that changes nothing has a part of exactly 0.

    Args:
        asker: What is asked of the model; all answers together stay within its budget.
        case: The person and the graph.
        rng: Noise of the histories, and users that mechanisms are fitted to again.

    Raises:
        DataError: if more arrows leave the attribute than the budget allows to look at.
    """
    told = [route for route in case.routes if not route.why]
    whole = len(told) == len(case.routes) and not case.why
    arms = [frozenset({route.child}) for route in told]
    if whole and (len(arms) > 1 or (arms and case.otherwise is not None)):
        arms.append(frozenset(route.child for route in told))
    direct = 0 if case.otherwise is None else 2
    draws = min(_MOST, (asker.left - direct) // (1 + 2 * len(arms)))
    if draws < _LEAST:
        raise DataError(
            f"{len(told)} arrows leave '{case.attribute}', more than can be followed with {asker.left} answers of the "
            "model",
            todo="Leave out of the graph what matters least.",
        )
    return _Estimate(asker, case, draws, rng).made(told, arms, whole)


class _Estimate:
    """All draws of one case."""

    def __init__(self, asker: Asker, case: Case, draws: int, rng: np.random.Generator) -> None:
        self.asker, self.case, self.draws = asker, case, draws
        self.noise = np.arange(draws)
        self.again: list[Mechanisms] = []
        if case.mechanisms is not None:
            with threadpool_limits(1):  # small fits on many threads wait for each other
                self.again = [case.mechanisms.again(rng) for _ in range(draws)]

    def made(self, told: list[Route], arms: list[frozenset[str]], whole: bool) -> Sensitive:
        """The parts, the total and what is left between them."""
        case, asker = self.case, self.asker
        base = (
            self._asked([{}] * self.draws, asker.question.model) if arms else self._own(asker.question.model)
        )
        start = _Draws.still(base)
        direct = self._direct()
        changed = {arm: self._arm(arm, asker.question.model) for arm in arms if len(arm) == 1}
        parts = {arm: start.less(found) for arm, found in changed.items()}
        along = {
            route.child: _along(route, parts[frozenset({route.child})] if not route.why else None)
            for route in case.routes
        }
        last = Along((f"{case.attribute} -> {SCORE}",), None, None, f"not identified: {case.why}")
        if direct is not None:
            nothing = "the model does not read it." if case.otherwise is None else ""
            last = replace(last, score=direct.interval(0, 1), places=direct.interval(1, -1), why=nothing)
        total = between = None
        if whole and direct is not None:
            if arms:
                everything = frozenset(route.child for route in told)
                full = self._arm(everything, case.otherwise or asker.question.model, changed.get(everything))
                total = start.less(full)
            else:
                total = direct
            between = total
            for one in (*parts.values(), direct):
                between = between.less(one)
        every = tuple(path for one in along.values() for path in one.paths) + last.paths
        unknown = "not told, since a part of it is not identified."
        return Sensitive(
            case.attribute,
            case.value,
            case.instead,
            case.graph,
            (*along.values(), last),
            _known(Along(every, None, None, unknown), total),
            _known(Along((), None, None, unknown), between),
            float(base[:, 0].mean()),
            float(base[:, 1].mean()),
            self.draws if arms else 0,
            asker.forwards,
            tuple(one.format(attribute=case.attribute) for one in _ASSUMPTIONS[: 3 if arms else 1]),
        )

    def _direct(self) -> _Draws | None:
        """What the model's own reading of the attribute does, exactly; None where that is not known."""
        case, model = self.case, self.asker.question.model
        if case.why:
            return None
        if case.otherwise is None:
            return _Draws.still(np.zeros((self.draws, 2)))
        return _Draws.still(self._own(model) - self._own(case.otherwise))

    def _own(self, model: Fitted) -> Floats:
        """Score and rank after the own history, once for each draw."""
        answered = self._answers(model, self.asker.question.past)
        return np.repeat(answered, self.draws, axis=0)

    def _arm(self, arrows: frozenset[str], model: Fitted, known: _Draws | None = None) -> _Draws:
        """Answers with the other value along some arrows."""
        case, fitted = self.case, self.case.mechanisms
        if known is not None and model is self.asker.question.model:
            return known
        assert fitted is not None
        person = fitted.person(case.person)
        first = fitted.along(person, case.instead, arrows)
        wanted = [first] * self.draws + [one.along(person, case.instead, arrows) for one in self.again]
        answered = self._asked(wanted, model)
        moved = [[one[name] - first[name] for name in sorted(first)] for one in wanted[self.draws :]]
        return _Draws(answered[: self.draws], answered[self.draws :], np.array(moved))

    def _asked(self, wanted: Sequence[Mapping[str, float]], model: Fitted) -> Floats:
        """Score and rank of the item after redrawn histories, shape (histories, 2)."""
        noise = np.resize(self.noise, len(wanted))
        return self._answers(model, self.case.redrawn(wanted, noise))

    def _answers(self, model: Fitted, past: Histories) -> Floats:
        asker, question = self.asker, self.asker.question
        asker.forwards += len(past)
        scores = model.score(np.full(len(past), question.user), past)
        return np.column_stack([scores[:, question.item], question.ranks(scores)]).astype(np.float64)


def _along(route: Route, found: _Draws | None) -> Along:
    """What is said of a route."""
    each = ""
    if route.witness is not None and found is not None:
        each = (
            f"Which of these paths carries how much is not identified: '{route.witness}' would have to take two values "
            "at once (a recanting witness)."
        )
    why = f"not identified: {route.why}" if route.why else ""
    return _known(Along(tuple(" -> ".join(path) for path in route.paths), None, None, why, each), found)


def _known(said: Along, found: _Draws | None) -> Along:
    """The same with what was found, where something was."""
    if found is None:
        return said
    return replace(said, score=found.interval(0, 1), places=found.interval(1, -1), why="")
