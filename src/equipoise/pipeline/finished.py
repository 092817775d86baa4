"""A finished run, opened again: its settings, its model, and what the model knows of everybody."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config, read_config
from equipoise.data import vocabulary as v
from equipoise.debias import AfterTraining
from equipoise.errors import DataError
from equipoise.models import Fitted, load_model
from equipoise.pipeline.folder import RunFolder
from equipoise.pipeline.prepare import Prepared, read_prepared
from equipoise.pipeline.train import chosen_corrections

_NAMES = ("title", "name")  # columns that call an item by its name, before whatever else is said of it
_LONGEST = 60  # signs of nearly all values of another text column that can pass for names


@dataclass(frozen=True)
class FinishedRun:
    """The folder of a run that was finished, read as far as is asked for.

    Attributes:
        folder: Where it lies, with its manifest.
        config: Its settings.
    """

    folder: RunFolder
    config: Config

    @classmethod
    def open(cls, path: Path | str) -> FinishedRun:
        """The run in a folder.

        Raises:
            DataError: if it is no run, or an unfinished one.
        """
        return cls(*read_run(Path(path)))

    @property
    def stages(self) -> list[str]:
        """The stages whose models the run holds, the model as it is first."""
        made = self.folder.manifest["stages"]
        return [stage for stage in (v.BASELINE, v.CORRECTED) if f"train {stage}" in made]

    @property
    def listed(self) -> list[str]:
        """The stages whose lists the run holds; corrections that only re-rank have no model of their own."""
        return [v.BASELINE, v.CORRECTED] if self.config.debias else [v.BASELINE]

    @cached_property
    def prepared(self) -> Prepared:
        """Its train, valid and test events, with users and items; without the world, where they came from one."""
        return read_prepared(self.config, self.folder, world=False)

    def reranks(self, stage: str | None = None) -> bool:
        """Whether corrections put the lists of a stage (the last one by default) in another order than its model."""
        after = any(isinstance(one, AfterTraining) for one in chosen_corrections(self.config))
        return after and stage != v.BASELINE

    def model(self, stage: str | None = None) -> Fitted:
        """The model of a stage, as training left it.

        Args:
            stage: `baseline` or `corrected`; the last one by default. Where corrections only re-rank, both have
                the same model.

        Raises:
            DataError: if the run has no such stage.
            ModelError: if the model's files are damaged.
        """
        wanted = stage or self.stages[-1]
        if wanted not in self.listed:
            raise DataError(
                f"The run has no model of the stage '{wanted}'",
                where=str(self.folder.path),
                todo=f"Its stages are: {', '.join(self.listed)}.",
            )
        trained = wanted if wanted in self.stages else v.BASELINE
        return load_model(self.folder.path / "model" / trained)

    def knowing(self, stage: str | None = None) -> Fitted:
        """The model with the validation events seen: the one the run's lists were made with."""
        return self.model(stage).observe(self.prepared.valid.events)

    @property
    def items(self) -> pl.DataFrame | None:
        """The items table, None where the run had none."""
        return self.prepared.train.items

    @cached_property
    def title_column(self) -> str | None:
        """The column that calls an item by its name: a title or a name, else a text column of short values."""
        if self.items is None:
            return None
        texts = [column for column in self.prepared.train.text if column in self.items.columns]
        candidates = [column for column in _NAMES if column in self.items.columns]
        candidates += [column for column in texts if set(column.casefold().split("_")) & set(_NAMES)]
        candidates += [column for column in texts if _short(self.items[column])]
        return next(iter(candidates), None)

    def runtime(self) -> Runtime:
        """The options of this process with the run's seed."""
        return Runtime(seed=self.config.seed)


def _short(values: pl.Series) -> bool:
    """Whether nearly all values of a column are as short as names are."""
    if values.dtype != pl.String:
        return False
    length = values.str.len_chars().quantile(0.95)
    return length is not None and length <= _LONGEST


def read_run(path: Path) -> tuple[RunFolder, Config]:
    """The folder of a finished run, and its configuration.

    Raises:
        DataError: if it is no run, or an unfinished one.
    """
    if not (path / "manifest.json").is_file():
        raise DataError(
            "This is not the folder of a run", where=str(path), todo="Name one that `equipoise run` wrote."
        )
    folder = RunFolder(path)
    folder.manifest = folder.read_json("manifest.json")
    if folder.manifest.get("status") != "complete":
        raise DataError(
            "The run is not finished", where=str(path), todo=f"Finish it: equipoise run --resume --out {path}"
        )
    return folder, read_config(path / "config.toml")
