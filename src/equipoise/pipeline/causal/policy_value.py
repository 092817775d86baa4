"""From a log and a policy to what the policy would have brought, and the page that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.sources import SUFFIXES, read_table
from equipoise.errors import ConfigError
from equipoise.pipeline.causal.requests import PolicyValueRequest
from equipoise.pipeline.causal.writing import Answer, Say, place, provenance, write
from equipoise.report import render_policy_value

WORDS = ("uniform", "logged")
_NEEDS_MODEL = ("dm", "dr", "sndr", "switch_dr", "dros", "cascade_dr")


def policy_value(
    request: PolicyValueRequest | Mapping[str, Any],
    *,
    out: Path | str | None = None,
    force: bool = False,
    say: Say = lambda line: None,
) -> Answer:
    """Value a policy from a log, and write `policy-value.json` and `report.html`.

    Args:
        request: The question.
        out: Folder to write into; `policy-values/<time>-<name>` by default.
        force: Replace an answer that is in the folder already.
        say: Called with a line for each step.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do. Nothing is written then. A value that the
            log does not support is no error: the answer says why.
    """
    from equipoise.causal.off_policy import Support
    from equipoise.causal.off_policy import policy_value as valued
    from equipoise.component import build

    asked = request if isinstance(request, PolicyValueRequest) else PolicyValueRequest.of(request)
    called = Path(asked.target).stem if is_table(asked.target) else asked.target
    folder = place(out, "policy-value", called, force=force)
    target = read_table(asked.target) if is_table(asked.target) else asked.target
    _check_options(asked.options)
    model = outcome_model(asked.outcome_model, asked.estimator, asked.log)
    log = read_log(asked.log, lazily=isinstance(target, str) and (model is None or isinstance(model, tuple)))
    items = None if asked.items is None else read_table(asked.items)
    if items is not None and isinstance(log, pl.LazyFrame) and not _alike(log, items):
        log = log.collect()  # in memory, ids of two types are made one, or refused in words
    say(f"valuing   {called} by {asked.estimator}")
    found = valued(
        log,
        target,
        asked.estimator,
        outcome_model=model,
        level=asked.level,
        seed=asked.seed,
        cluster=asked.cluster,
        items=items,
        context=asked.context,
        support=build(Support, asked.support, where="the thresholds of support"),
        **asked.options,
    )
    content = {**found.as_dict(), "target": called, **provenance(asked.command, asked.name)}
    answer = write(folder, "policy-value", content, render_policy_value, asked.lang)
    say(f"wrote     {answer.path}")
    return answer


def is_table(text: str) -> bool:
    """Whether a word names a table and not a column."""
    plain = text.lower().removesuffix(".gz")
    return "://" in text or plain.endswith(SUFFIXES) or "/" in text or Path(text).is_dir()


def read_log(path: str, *, lazily: bool) -> Any:
    """A log of decisions; a Parquet file is scanned where nobody needs its rows in memory."""
    if lazily and path.lower().endswith(".parquet") and "://" not in path and Path(path).is_file():
        return pl.scan_parquet(path)
    return read_table(path)


def outcome_model(said: str | None, estimator: str, log: str) -> Any:
    """What predicts rewards: two columns, a table, or a regressor to be fitted; None where none is needed.

    Raises:
        ConfigError: if the word is none of these.
    """
    if said is None:
        said = "linear" if estimator in _NEEDS_MODEL else None
    if said is None:
        return None
    if "," in said:
        columns = tuple(word.strip() for word in said.split(","))
        if len(columns) != 2:
            raise ConfigError(
                f"'{said}' are not two columns",
                todo="Name the model's value of the logged item, and its mean under the target: q_logged,q_target.",
            )
        return columns
    if is_table(said):
        return read_table(said)
    from sklearn.ensemble import HistGradientBoostingRegressor
    from sklearn.linear_model import Ridge

    models = {"linear": Ridge(), "boosting": HistGradientBoostingRegressor(max_depth=4, random_state=0)}
    if said not in models:
        raise ConfigError(
            f"There is no outcome model '{said}'",
            where=f"for {log}",
            todo="Known: linear, boosting, a table, or two columns with a comma between.",
        )
    return models[said]


def _check_options(options: Mapping[str, Any]) -> None:
    """See that options are settings of the estimator, or the number of folds.

    Raises:
        ConfigError: if one is a field of the request, or there are fewer than two folds.
    """
    for name in options:
        if name in PolicyValueRequest.model_fields:
            raise ConfigError(
                f"'{name}' is no setting of an estimator",
                todo=f"Give it by itself, as --{name.replace('_', '-')}.",
            )
    folds = options.get("folds", 2)
    if isinstance(folds, bool) or not isinstance(folds, int) or folds < 2:
        raise ConfigError(
            f"{folds!r} is no number of folds", todo="Give a whole number from 2, as in folds=5."
        )


def _alike(log: pl.LazyFrame, items: pl.DataFrame) -> bool:
    """Whether items have the same type in both."""
    return log.collect_schema().get(v.ITEM) == items.schema.get(v.ITEM)
