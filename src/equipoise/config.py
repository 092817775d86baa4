"""One typed TOML file says everything a run does."""

from __future__ import annotations

import copy
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from equipoise.causal.graph import CausalGraph, GraphError
from equipoise.component import config_error
from equipoise.data.cleaning import Cleaning
from equipoise.data.config import Source, TableSource
from equipoise.data.splits import Split
from equipoise.errors import ConfigError, nearest
from equipoise.language.finetuning.settings import FineTuning, RankerTuning
from equipoise.locations import located_field, located_path


class Section(BaseModel):
    """Base of the sections: unknown keys are errors, and a docstring under a field is its description."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Part(BaseModel):
    """A section that names a part and gives its fields; the part itself checks them."""

    model_config = ConfigDict(extra="allow", frozen=True, use_attribute_docstrings=True)

    @property
    def fields(self) -> dict[str, Any]:
        """The part's own fields, without its name."""
        return dict(self.model_extra or {})

    def located(self, base: Path) -> Self:
        """The same section with relative paths made absolute, starting from `base`: those of tables, of folders of
        models and of finished runs, in parts inside it too.
        """
        return type(self).model_validate(located_field("", self.model_dump(), base))

    @model_validator(mode="after")
    def _can_be_written(self) -> Self:
        nothing = [key for key, value in self.fields.items() if value is None]
        if nothing:
            raise ValueError(f"`{nothing[0]}` has no value; leave it out to have the default")
        return self


class DataSection(Source):
    """`[data]`: where events, users and items come from."""

    world: dict[str, Any] | None = None
    """A generated world instead of files: `name`, then its fields, as in `{ name = "storefront", n_users = 2000 }`."""

    @model_validator(mode="after")
    def _one_source(self) -> DataSection:
        given = [name for name in ("world", "events", "path") if getattr(self, name) is not None]
        if not given:
            raise ValueError(
                'say where the data is: `path = "folder"`, `events = "clicks.csv"` or `world = {...}`'
            )
        if "world" in given and len(given) > 1:
            raise ValueError(f"give either `world` or `{given[1]}`, not both")
        return self

    def located(self, base: Path) -> DataSection:
        """The same section with relative paths made absolute, starting from `base`."""

        def places(value: Any) -> Any:
            if isinstance(value, list):
                return [places(entry) for entry in value]
            if isinstance(value, TableSource):
                return value.model_copy(update={"path": located_path(value.path, base)})
            return located_path(value, base) if isinstance(value, str) else value

        return self.model_copy(
            update={name: places(getattr(self, name)) for name in ("path", "events", "users", "items")}
        )


class EncoderSection(Part):
    """`[encoder]`: how texts, images and numbers of items become vectors."""

    name: str = "none"
    """`none`, `tfidf`, `minilm`, `multilingual`, `hf:<name>`, `openai:<model>` or `vectors:<parquet>`; `image`,
    `vision:<name>`, `numeric`; several of these as one by `concat`, `align` or `gan`."""


class ModelSection(Part):
    """`[model]`: the recommender."""

    name: str = "ease"
    """A model's name; its own fields stand beside it."""


class DebiasSection(Part):
    """`[[debias]]`: one correction; several are applied in the order given."""

    method: str
    """A correction's name; its own fields stand beside it."""


class AuditSection(Section):
    """`[audit]`: what is measured, and for whom."""

    k: tuple[int, ...] = Field(default=(10, 20), min_length=1)
    """List lengths at which metrics are taken."""
    groups: tuple[str, ...] | None = None
    """Columns of the users table to compare groups by; the sensitive columns by default."""
    exclude_seen: bool = True
    """Whether items a user already had are neither recommended nor counted as relevant."""
    relevant: float | None = None
    """Held-out events count as relevant from this value on (a rating of 4, say); all do by default."""
    level: float = Field(default=0.95, gt=0.5, lt=1.0)
    """Level of the intervals."""
    n_bootstrap: int = Field(default=1000, ge=100)
    """Draws of users per interval."""
    weighted: bool = True
    """Whether lists are also measured with each held-out event weighted by its logged propensity, where it has one."""

    @model_validator(mode="after")
    def _lengths(self) -> AuditSection:
        if min(self.k) < 1:
            raise ValueError("list lengths start at 1")
        return self


class ReportSection(Section):
    """`[report]`: the page a person reads."""

    lang: Literal["en", "zh"] = "en"
    """Language of the page."""


class ExplainSection(Section):
    """`[explain]`: what `equipoise explain` says of a sensitive attribute, where nothing else is said there."""

    graph: str | None = None
    """What causes what, over columns of the users and features of their histories, such as
    `gender -> share.Books; age -> activity; activity <-> share.Books`."""
    sensitive: str | None = None
    """Column of the users whose paths to a score are followed."""
    instead: str | None = None
    """The value that a user's own is held against; the most frequent other one by default."""

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.graph is None and (self.sensitive, self.instead) != (None, None):
            raise ValueError("no `graph` says what the attribute causes, so that its paths cannot be told")
        if self.graph is not None:
            try:
                CausalGraph.parse(self.graph)
            except GraphError as error:
                raise ValueError(str(error)) from None
        return self


class SearchSpace(Section):
    """Where the search may look for one field: a range, or a list of choices."""

    low: float | None = None
    """Least value."""
    high: float | None = None
    """Greatest value."""
    log: bool = False
    """Whether to search on a logarithmic scale."""
    whole: bool = False
    """Whether only whole numbers count."""
    choices: tuple[Any, ...] | None = None
    """Values to choose among, in place of a range."""

    @model_validator(mode="after")
    def _range(self) -> SearchSpace:
        if self.choices is None and (self.low is None or self.high is None or self.low >= self.high):
            raise ValueError("give `low` below `high`, or `choices`")
        if self.log and (self.low or 0.0) <= 0.0:
            raise ValueError("a logarithmic range starts above 0")
        return self


class TuneSection(Section):
    """`[tune]`: the search for hyper-parameters."""

    metric: str = "ndcg@10"
    """What is maximised."""
    trials: int = Field(default=20, ge=1)
    """How many settings are tried."""
    folds: int = Field(default=3, ge=1)
    """Cross-validation folds of the events that are not test; 1 measures on the configured valid part alone."""
    space: dict[str, SearchSpace] = Field(default_factory=dict)
    """Field of the model -> where to look."""


class Config(Section):
    """Everything a run does."""

    name: str = "run"
    """Name of the run, part of its folder's name."""
    seed: int = Field(default=0, ge=0)
    """Root of all random numbers."""
    data: DataSection
    """Where the tables come from."""
    clean: Cleaning = Cleaning()
    """What is dropped, and why."""
    split: Split = Split()
    """How events are parted into train, valid and test."""
    encoder: EncoderSection = EncoderSection()
    """How texts become vectors."""
    model: ModelSection = ModelSection()
    """The recommender."""
    debias: tuple[DebiasSection, ...] = ()
    """Corrections, in order."""
    audit: AuditSection = AuditSection()
    """What is measured."""
    report: ReportSection = ReportSection()
    """The page."""
    explain: ExplainSection = ExplainSection()
    """What explanations say of a sensitive attribute; a run itself does not read it."""
    tune: TuneSection | None = None
    """The search; `equipoise tune` reads it, a run does not."""
    finetune: FineTuning | None = None
    """The training of the encoder; `equipoise finetune` reads it, a run does not."""
    finetune_ranker: RankerTuning | None = None
    """The training of the ranker's language model; `equipoise finetune` reads it, a run does not."""

    def to_toml(self) -> str:
        """The resolved configuration, as `read_config` takes it back."""
        return tomli_w.dumps(_without_nulls(self.model_dump(mode="json")))

    def digest(self) -> str:
        """SHA-256 of the resolved configuration."""
        content = self.model_dump(mode="json")
        for section, name in (
            (content, "finetune"),
            (content, "finetune_ranker"),
            (content["data"], "images"),
            (content["data"], "numeric"),
        ):
            if section[name] is None:  # younger than runs that are to be resumed
                del section[name]
        del content["explain"]  # changes nothing that a run makes
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def built_in(light: bool = False) -> Config:
    """The configuration of the built-in world.

    Args:
        light: Without the language-model extra: TF-IDF and EASE instead of MiniLM and the transformer.
    """
    fields: dict[str, Any] = {
        "name": "storefront",
        "data": {"world": {"name": "storefront"}},
        "encoder": {"name": "tfidf" if light else "minilm"},
        "model": {"name": "ease"} if light else {"name": "sequence", "epochs": 8},
        "debias": [
            {"method": "clipped_ips", "propensity": "given"},
            {"method": "exposure", "group": "provider"},
        ],
    }
    return Config.model_validate(fields)


def read_config(source: Path | str | Mapping[str, Any] | Config, overrides: Iterable[str] = ()) -> Config:
    """A configuration from a TOML file, a mapping, or one already built.

    Paths inside a file are relative to that file.

    Args:
        source: Where it is.
        overrides: `section.key=value` settings; values are read as TOML, and as plain text where they are not.

    Raises:
        ConfigError: if the file is missing or broken, or a key or value is not usable; the nearest key is suggested.
    """
    base = Path.cwd()
    if isinstance(source, Config):
        fields: dict[str, Any] = source.model_dump(mode="json")
    elif isinstance(source, Mapping):
        fields = copy.deepcopy(dict(source))
    else:
        path = Path(source)
        base = path.parent
        fields = _parse(path)
    for setting in overrides:
        _override(fields, setting)
    try:
        config = Config.model_validate(fields)
    except ValidationError as error:
        raise _located(error) from None
    return config.model_copy(
        update={
            "data": config.data.located(base),
            "encoder": config.encoder.located(base),
            "model": config.model.located(base),
            "debias": tuple(one.located(base) for one in config.debias),
        }
    )


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            "There is no such configuration file", where=str(path), todo="`equipoise init` writes one."
        ) from None
    except (IsADirectoryError, UnicodeDecodeError):
        raise ConfigError(
            "This is no configuration file", where=str(path), todo="`equipoise init` writes one."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"The file is not valid TOML: {error}", where=str(path), todo="Mend that line."
        ) from None


def _override(fields: dict[str, Any], setting: str) -> None:
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            f"'{setting}' is no setting", todo="Write --set section.key=value, as in --set model.name=ease."
        )
    try:
        value: Any = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *sections, last = key.strip().split(".")
    here: Any = fields
    for section in sections:
        if isinstance(here, list) or section.isdigit():
            here = _element(here, section, setting)
        else:
            here = here.setdefault(section, {})
    if not isinstance(here, dict):
        raise ConfigError(f"'{setting}' does not lead to a setting", todo="Write --set section.key=value.")
    if sections and sections[-1] in ("model", "encoder") and last == "name" and here.get("name") != value:
        here.clear()  # another part has other fields
    if sections == ["data"] and last in ("path", "events", "users", "items") and isinstance(value, str):
        value = located_path(value, Path.cwd())  # said on the command line, so from where the person stands
    if sections and sections[0] in ("model", "encoder", "debias"):
        value = located_field(last, value, Path.cwd())
    here[last] = value


def _element(entries: Any, index: str, setting: str) -> Any:
    if not isinstance(entries, list) or not index.isdigit() or int(index) >= len(entries):
        raise ConfigError(
            f"'{setting}': there is no entry {index}", where=f"{len(entries)} entries, counted from 0"
        )
    return entries[int(index)]


def _located(error: ValidationError) -> ConfigError:
    """The first fault, named by the section it stands in."""
    fault = error.errors()[0]
    place = [part for part in fault["loc"] if isinstance(part, str)]
    section: type[BaseModel] = Config
    for part in place[:-1]:
        annotation = section.model_fields[part].annotation if part in section.model_fields else None
        for kind in (annotation, *get_args(annotation)):  # a section, or one that may be left out
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                section = kind
    if fault["type"] == "extra_forbidden":
        where = f"section [{'.'.join(place[:-1])}]" if place[:-1] else "the top level"
        return ConfigError(
            f"'{place[-1]}' is not a setting of {where}", todo=nearest(place[-1], section.model_fields)
        )
    if fault["type"] == "missing":
        return ConfigError(f"The setting '{'.'.join(place)}' is missing")
    return config_error(error, section, "the configuration")


def _without_nulls(value: Any) -> Any:
    """TOML has no null: a key that is not there means the default."""
    if isinstance(value, dict):
        return {key: _without_nulls(entry) for key, entry in value.items() if entry is not None}
    return [_without_nulls(entry) for entry in value] if isinstance(value, (list, tuple)) else value


__all__ = ["Config", "built_in", "read_config"]
