"""What every configurable part shares: typed fields, a name, and the run-time options kept apart from them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from equipoise.errors import ConfigError, nearest

_C = TypeVar("_C", bound="Component")


class Component(BaseModel):
    """Base of all configurable parts: the typed fields are the hyper-parameters, and nothing else is state.

    What `fit` returns is another object; a component itself never changes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    name: ClassVar[str] = ""
    """The name by which a configuration asks for this part."""

    argument: ClassVar[str] = ""
    """The field that takes what follows the colon in `hf:<folder>`; empty where nothing may follow."""

    def describe(self) -> dict[str, Any]:
        """The part's name and fields as plain JSON values, enough to build it again."""
        return {"name": self.name, **self.model_dump(mode="json")}


class Registry(Generic[_C]):
    """One table of `"name": "module:Class"` strings, imported when asked for, plus an entry-point group.

    Args:
        kind: What the parts are, for messages ("model", "encoder").
        group: Entry-point group in which other packages offer their parts.
        table: Our own parts.
    """

    def __init__(self, kind: str, group: str, table: Mapping[str, str]) -> None:
        self.kind, self.group, self._table = kind, group, dict(table)

    def names(self) -> list[str]:
        """All names, ours and other packages'."""
        return sorted({*self._table, *(point.name for point in entry_points(group=self.group))})

    def find(self, name: str) -> type[_C]:
        """The class behind a name.

        Raises:
            ConfigError: if there is no such part; the nearest name is suggested.
        """
        target = self._table.get(name) or next(
            (point.value for point in entry_points(group=self.group) if point.name == name), None
        )
        if target is None:
            raise ConfigError(f"There is no {self.kind} called '{name}'", todo=nearest(name, self.names()))
        module, _, attribute = target.partition(":")
        found: type[_C] = getattr(importlib.import_module(module), attribute)
        return found

    def build(self, name: str, fields: Mapping[str, Any] | None = None) -> _C:
        """The part of that name with these fields.

        Raises:
            ConfigError: if the name or a field does not exist, or a value is out of range.
        """
        return build(self.find(name), fields or {}, where=f"{self.kind} '{name}'")

    def nested(self, fields: Mapping[str, Any], *, owner: str, where: str | None = None) -> _C:
        """The part that another part's settings describe, its name among its fields.

        Args:
            fields: `name` and the part's own fields.
            owner: What the part is to the other one, for messages ("The base of the ranker").
            where: Which of several it is.

        Raises:
            ConfigError: as `build` does, and if there is no name.
        """
        rest = dict(fields)
        if "name" not in rest:
            raise ConfigError(f"{owner} has no name", where=where, todo='Add name = "...".')
        return self.build(rest.pop("name"), rest)

    def named(self, name: str, fields: Mapping[str, Any]) -> _C:
        """The part of a name that may end in a colon and the part's argument, as `hf:<folder>` does.

        Raises:
            ConfigError: as `build` does, and if the argument is missing, or there where none may be.
        """
        head, colon, rest = name.partition(":")
        argument = self.find(head).argument
        if colon and not argument:
            raise ConfigError(f"Nothing may follow the name of the {self.kind} '{head}', but '{rest}' does")
        told = {argument: rest, **fields} if rest else dict(fields)
        if argument and not told.get(argument):
            raise ConfigError(
                f"The {self.kind} '{head}' needs its {argument}", todo=f"Write it as '{head}:<{argument}>'."
            )
        return self.build(head, told)


def build(component: type[_C], fields: Mapping[str, Any], *, where: str) -> _C:
    """Build a component from plain values, with errors that a person can act on."""
    try:
        return component.model_validate(dict(fields))
    except ValidationError as error:
        raise config_error(error, component, where) from None


def config_error(error: ValidationError, model: type[BaseModel], where: str) -> ConfigError:
    """The first fault of a pydantic validation, in words."""
    fault = error.errors()[0]
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return ConfigError(f"'{key}' is not a setting of {where}", todo=nearest(key, model.model_fields))
    if fault["type"] == "missing" and key in model.model_fields:
        return ConfigError(f"{where} needs '{key}'", todo=model.model_fields[key].description or "")
    said = fault["msg"].removeprefix("Value error, ")
    if not key:  # two settings that do not go together
        return ConfigError(f"The settings of {where} do not go together: {said}")
    return ConfigError(f"'{key}' of {where} is not usable: {said} (got {fault.get('input')!r})")


def usable_cores() -> int:
    """Cores that this process may use, which a container or `taskset` may make fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # Linux alone knows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass(frozen=True)
class Runtime:
    """How to run, apart from what to run: these options never change what a result means.

    Attributes:
        seed: Root of all random numbers.
        threads: Threads for BLAS and torch; 0 means one per core that the process may use.
        device: A torch device name.
        progress: Whether work over two seconds shows a bar (on standard error).
        batch_size: Users scored at once; results do not depend on it.
    """

    seed: int = 0
    threads: int = 0
    device: str = "cpu"
    progress: bool = True
    batch_size: int = 512

    def rng(self, *key: int | str) -> np.random.Generator:
        """A generator derived from the seed and a key (a user, an epoch, a purpose), the same in any order."""
        words = [part if isinstance(part, int) else int.from_bytes(part.encode(), "big") for part in key]
        return np.random.default_rng([self.seed, *words])

    @property
    def cores(self) -> int:
        """The number of threads to use."""
        return self.threads or usable_cores()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Hold BLAS to `cores` threads inside the block."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(self.cores):
            yield
