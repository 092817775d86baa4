"""What may be asked of the causal journeys: typed fields, from a TOML file, a mapping or the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from equipoise.component import config_error
from equipoise.errors import ConfigError

_R = TypeVar("_R", bound="Request")


class Request(BaseModel):
    """Base of the requests: unknown keys are errors, and a docstring under a field is its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    level: float = Field(0.95, gt=0, lt=1)
    """Level of the intervals."""
    seed: int = Field(0, ge=0)
    """Root of all random numbers."""
    lang: Literal["en", "zh"] = "en"
    """Language of the page."""
    name: str | None = None
    """Name on the page."""
    command: str | None = None
    """The command that asked, for the page."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """A request from plain values.

        Raises:
            ConfigError: if a field does not exist, is missing or is not usable.
        """
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            raise config_error(error, cls, "the request") from None


class EffectRequest(Request):
    """What a treatment does to an outcome."""

    data: str
    """Table with one row per observation; see `equipoise.data.sources.read_table`."""
    treatment: str
    """Column of what was done."""
    outcome: str
    """Column of what came of it."""
    treated: str | int | float | bool | None = None
    """The value of the treatment that counts as treated; the larger of the two by default."""
    graph: str | None = None
    """A graph as text ("age -> shown; shown -> bought"), or a file of it."""
    adjust: tuple[str, ...] | None = None
    """Columns to adjust for, in place of a graph; none for a randomised treatment."""
    method: str = "aipw"
    """aipw, ipw, overlap, regression, matching, iv, frontdoor, mediation or plr."""
    estimand: str = "ate"
    """Whose effect is asked for: ate (everybody) or att (the treated)."""
    cluster: str | None = None
    """Column whose rows depend on each other, as those of a user do."""
    instrument: str | None = None
    """Column of an instrument, for the method iv."""
    mediator: tuple[str, ...] = ()
    """Columns of mediators, for the methods mediation and frontdoor."""
    outcome_model: str = "linear"
    """Regression of the outcome: linear or boosting."""
    propensity_model: str = "linear"
    """Regression of the treatment: linear or boosting."""
    negative_controls: tuple[str, ...] = ()
    """Columns of outcomes that the treatment cannot have changed."""
    negative_exposures: tuple[str, ...] = ()
    """Columns of exposures that cannot have changed the outcome."""
    groups: tuple[str, ...] = ()
    """Columns to tell the effect by."""
    folds: int = Field(5, ge=2)
    """Parts of the data for cross-fitting."""
    clip: float | None = Field(None, ge=0, lt=0.5)
    """Propensities are cut at this far from 0 and 1."""
    permutations: int = Field(100, ge=20)
    """Refits on permuted treatments."""

    @classmethod
    def read(cls, path: Path) -> dict[str, Any]:
        """The fields of a TOML file, with the paths of data and graph starting from it.

        Raises:
            ConfigError: if the file is missing or broken.
        """
        try:
            fields = tomllib.loads(path.read_text("utf-8"))
        except FileNotFoundError:
            raise ConfigError(
                "There is no such configuration file", where=str(path), todo="Name a TOML file, or --data."
            ) from None
        except (IsADirectoryError, UnicodeDecodeError):
            raise ConfigError("This is no configuration file", where=str(path)) from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(
                f"The file is not valid TOML: {error}", where=str(path), todo="Mend that line."
            ) from None
        data, graph = fields.get("data"), fields.get("graph")
        if isinstance(data, str) and "://" not in data:
            fields["data"] = str(path.parent / Path(data).expanduser())
        if isinstance(graph, str) and (path.parent / graph).is_file():
            fields["graph"] = str(path.parent / graph)
        return fields


class PolicyValueRequest(Request):
    """What a policy would have brought."""

    log: str
    """Table of decisions: item_id, reward, propensity, and where known request_id, user_id, context."""
    target: str
    """A table (request_id, item_id, probability), a column of the log, "uniform" or "logged"."""
    estimator: str = "snips"
    """Name of an estimator, or slope, which chooses among them."""
    outcome_model: str | None = None
    """linear or boosting, to be fitted; a table (request_id, item_id, value); or two columns, "q,q_target"."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Settings of the estimator: clip, tau, lam, ..."""
    support: dict[str, float] = Field(default_factory=dict)
    """Thresholds of support in place of the defaults."""
    items: str | None = None
    """Table of the items that "uniform" chooses from."""
    cluster: str | None = None
    """Column whose rows depend on each other; user_id by default."""
    context: tuple[str, ...] | None = None
    """Columns that a fitted outcome model reads beside the item: what was known before the decision."""


class GateRequest(Request):
    """May a candidate replace what runs today?"""

    candidate: str
    """The folder of a run, a table (request_id, item_id, probability), a column of the log, or "uniform"."""
    current: str
    """Likewise, or "logged": the policy that wrote the log."""
    policy: str
    """TOML file of tolerances and of what launches need."""
    log: str | None = None
    """Table of decisions, to value both policies on; without it only fairness is checked."""
    audit: str | None = None
    """Folder of a finished audit of the candidate, where it is no run of ours."""
    outcome_model: str | None = None
    """As in `PolicyValueRequest`."""
    cluster: str | None = None
    """Column whose rows depend on each other; user_id by default."""
    context: tuple[str, ...] | None = None
    """As in `PolicyValueRequest`."""
