"""`estimate_effect`: from a table and a question to an effect, or to a refusal that says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from equipoise.causal.effects.bounds import bounds
from equipoise.causal.effects.design import BINARY, Design
from equipoise.causal.effects.effect import Effect
from equipoise.causal.effects.methods import METHODS, Fitted
from equipoise.causal.effects.methods.formula import formula
from equipoise.causal.effects.naive import naive_difference
from equipoise.causal.effects.question import Identified, Question, answerable
from equipoise.causal.effects.reading import column_names, named, read_design
from equipoise.causal.effects.reliability import doubt
from equipoise.causal.effects.settings import Overlap, Settings
from equipoise.causal.graph import CausalGraph
from equipoise.component import build
from equipoise.data.frames import require
from equipoise.errors import ConfigError

_ESTIMANDS = {
    **dict.fromkeys(("aipw", "ipw", "regression", "matching"), ("ate", "att")),
    "mediation": ("ate", "nde", "nie"),
}
_INSTRUMENT, _MEDIATOR = ("iv",), ("frontdoor", "mediation")
Controls = Mapping[str, Sequence[str] | str] | Sequence[str] | str


def estimate_effect(
    data: Any,
    treatment: str,
    outcome: str,
    graph: CausalGraph | str | None = None,
    adjust: Sequence[str] | str | None = None,
    method: str = "aipw",
    cluster: str | None = None,
    *,
    estimand: str = "ate",
    treated: Any = None,
    instrument: str | None = None,
    mediator: str | Sequence[str] | None = None,
    outcome_model: Any = "linear",
    propensity_model: Any = "linear",
    folds: int = 5,
    neighbours: int = 4,
    clip: float | None = None,
    level: float = 0.95,
    seed: int = 0,
    overlap: Overlap | None = None,
    negative_controls: Controls | None = None,
) -> Effect:
    """Estimate what a treatment does to an outcome.

    With a graph, the effect is identified first: the graph chooses what to adjust for, or the front door, or a
    general formula; where the effect does not follow from what is observed, it is refused. Overlap is
    checked before any number is given. A refused effect has no value but a reason, and bounds.

    Args:
        data: Frame of any engine; rows in which something is missing are dropped and counted.
        treatment: Column of two values, or of amounts for the method `plr`.
        outcome: Column of numbers, or of 0 and 1.
        graph: What causes what, as a graph or as text; variables that are no columns are hidden.
        adjust: Column or columns to adjust for; `[]` says that the treatment was set at random.
        method: `aipw`, `ipw`, `overlap`, `regression`, `matching`, `iv`, `frontdoor`, `mediation` or `plr`.
        cluster: Column of the users whose rows belong together.
        estimand: `ate`, `att`; for mediation also `nde` and `nie`.
        treated: The value that counts as treated; the larger of the two by default.
        instrument: Column, for `iv`.
        mediator: Column or columns, for `frontdoor` and `mediation`.
        outcome_model: See `Settings`.
        propensity_model: See `Settings`.
        folds: Folds of cross-fitting.
        neighbours: Matches of each row, for `matching`.
        clip: Propensities are held within [clip, 1 − clip]; None for the rule of `Overlap`.
        level: Confidence level.
        seed: Root of the folds.
        overlap: Thresholds of refusal.
        negative_controls: Columns on which the treatment can have no effect (a list of outcomes), or a mapping
            with `outcomes` and `exposures`; kept with the effect, whose card tries them.

    Raises:
        DataError: if a column is missing, the treatment has one value, or the outcome is no number.
        GraphError: if the graph does not know a column asked for, a column adjusted for is an effect of the
            treatment, or the treatment is one of the outcome.
        ConfigError: if a setting is unknown, out of range or of no use to the method, the method does not estimate
            the estimand, a classifier is to learn an outcome that is a number, or nothing says what to adjust for.
    """
    limits = overlap or Overlap()
    if clip is not None:
        limits = build(Overlap, {**limits.model_dump(), "clip": clip}, where="overlap")
    settings = build(
        Settings,
        {
            "method": method,
            "estimand": estimand,
            "outcome_model": outcome_model,
            "propensity_model": propensity_model,
            "folds": folds,
            "neighbours": neighbours,
            "level": level,
            "seed": seed,
            "overlap": limits,
        },
        where="estimate_effect",
    )
    _check_estimand(settings)
    for given, said, users in ((instrument, "instrument", _INSTRUMENT), (mediator, "mediator", _MEDIATOR)):
        if given and method not in users:
            raise ConfigError(
                f"The method '{method}' uses no {said}",
                where=f"{said}={given!r}",
                todo=f"Leave it out, or choose {' or '.join(map(repr, users))}.",
            )
    if graph is None and adjust is None and method not in ("iv", "frontdoor"):
        raise ConfigError(
            "Nothing says what to adjust for",
            todo="Give a graph, or adjust=[...]; adjust=[] says that the treatment was set at random.",
        )
    controls = _controls(negative_controls, column_names(data))
    question = Question(treatment, outcome, method, estimand, named(adjust), named(mediator), instrument)
    if graph is not None:
        graph = CausalGraph.parse(graph) if isinstance(graph, str) else _drawn(graph)
        question = answerable(question, graph, column_names(data), adjust_given=adjust is not None)
    design = read_design(
        data,
        treatment,
        outcome,
        question.adjust,
        cluster,
        treated=treated,
        instrument=question.instrument,
        mediator=question.mediator,
        continuous=method == "plr",
    )
    if design.outcome_kind != BINARY and hasattr(outcome_model, "predict_proba"):
        raise ConfigError(
            f"The outcome '{outcome}' is a number, which a classifier cannot learn",
            where=f"outcome_model={outcome_model!r}",
            todo="Give a regressor.",
        )
    if question.refusal:
        refused = Fitted(estimand, refusal=question.refusal)
        found = _effect(design, settings, refused, question.identified, graph)
    else:
        settings = settings.model_copy(update={"method": question.method})
        found = estimate(design, settings, identification=question.identified, graph=graph)
    return replace(found, negative_controls=controls)


def estimate(
    design: Design,
    settings: Settings,
    *,
    identification: Identified | None = None,
    graph: CausalGraph | None = None,
) -> Effect:
    """The same of arrays that were read already.

    Raises:
        ConfigError: if the method does not estimate the estimand.
    """
    _check_estimand(settings)
    if settings.method == "formula":
        if identification is None or identification.estimand is None:
            raise ConfigError("The method 'formula' needs a graph", todo="Give one: graph='...'.")
        fitted = formula(design, identification.estimand)
    else:
        fitted = METHODS[settings.method](design, settings)
    return _effect(design, settings, fitted, identification, graph)


def _effect(
    design: Design,
    settings: Settings,
    fitted: Fitted,
    identification: Identified | None,
    graph: CausalGraph | None,
) -> Effect:
    naive = naive_difference(design, settings.level)
    if fitted.estimate is None:
        return Effect(
            design,
            settings,
            settings.method,
            fitted.estimand,
            naive,
            reason=fitted.refusal,
            refused=True,
            nuisances=fitted.nuisances,
            bounds=bounds(design, fitted.estimand),
            identification=identification,
            graph=graph,
            details=fitted.details,
        )
    interval = fitted.interval or fitted.estimate.interval(settings.level)
    in_doubt = doubt(design, fitted, settings)
    return Effect(
        design,
        settings,
        settings.method,
        fitted.estimand,
        naive,
        fitted.estimate.value,
        interval.low,
        interval.high,
        reason=in_doubt,
        interval_reliable=in_doubt is None,
        estimate=fitted.estimate,
        scores=fitted.scores,
        nuisances=fitted.nuisances,
        identification=identification,
        graph=graph,
        parts=fitted.parts,
        details=fitted.details,
    )


def _check_estimand(settings: Settings) -> None:
    known = _ESTIMANDS.get(settings.method, ("ate",))
    if settings.estimand not in known:
        raise ConfigError(
            f"The method '{settings.method}' does not estimate the '{settings.estimand}'",
            where=f"it estimates: {', '.join(known)}",
            todo="Choose another method, or another estimand.",
        )


def _controls(said: Controls | None, columns: list[str]) -> dict[str, tuple[str, ...]] | None:
    """Negative controls by kind; a text is one name, and a list names outcomes."""
    if said is None:
        return None
    controls = (
        {kind: named(names) for kind, names in said.items()}
        if isinstance(said, Mapping)
        else {"outcomes": named(said)}
    )
    if unknown := sorted(controls.keys() - {"outcomes", "exposures"}):
        raise ConfigError(
            f"'{unknown[0]}' is no kind of negative control", todo="Known: outcomes, exposures."
        )
    require(columns, *(name for names in controls.values() for name in names), table="data")
    return controls


def _drawn(graph: Any) -> CausalGraph:
    """Refuse what is no graph, a mere proposal above all."""
    if not isinstance(graph, CausalGraph):
        raise ConfigError(
            f"A causal graph was expected, not {type(graph).__name__}",
            todo="A proposed graph must be accepted by a person first: proposal.accept().",
        )
    return graph
