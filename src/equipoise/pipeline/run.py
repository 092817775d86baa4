"""The main job, top to bottom: read, clean, split, encode, train, weigh, rank, correct, measure, report."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config, built_in, read_config
from equipoise.data import vocabulary as v
from equipoise.debias import Correction
from equipoise.models import Fitted
from equipoise.models.storage import load_model, save_model
from equipoise.pipeline.encode import chosen_encoder, encode
from equipoise.pipeline.folder import RunFolder, default_folder
from equipoise.pipeline.measure import measure
from equipoise.pipeline.prepare import prepare, read_prepared, write_prepared
from equipoise.pipeline.present import present
from equipoise.pipeline.propensities import propensity_cards
from equipoise.pipeline.train import (
    chosen_corrections,
    chosen_model,
    recommend_all,
    retrains,
    train,
    write_vectors,
)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        path: Its folder.
        config: The resolved configuration.
    """

    path: Path
    config: Config

    @cached_property
    def recommendations(self) -> pl.DataFrame:
        """user_id, item_id, rank (from 1), score, probability, cold, stage."""
        return pl.read_parquet(self.path / "recommendations.parquet")

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The content of `metrics.json`."""
        return RunFolder(self.path).read_json("metrics.json")

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Versions, hashes, row counts, timings."""
        return RunFolder(self.path).read_json("manifest.json")

    @property
    def report(self) -> Path:
        """The page to open in a browser."""
        return self.path / "report.html"


def run(
    config: Config | Mapping[str, Any] | Path | str | None = None,
    *,
    out: Path | str | None = None,
    overrides: Iterable[str] = (),
    seed: int | None = None,
    resume: bool = False,
    runtime: Runtime | None = None,
    say: Say = lambda line: None,
) -> Run:
    """Do the main job.

    Args:
        config: A TOML file, a mapping or a `Config`; None for the built-in world.
        out: Folder to write into; `runs/<time>-<name>` by default.
        overrides: `section.key=value` settings.
        seed: Root of all random numbers, in place of the configuration's.
        resume: Go on in `out` after the last finished stage.
        runtime: Threads, device, batch size; its seed is the configuration's.
        say: Called with a line for each stage.

    Raises:
        EquipoiseError: with what was wrong, where, and what to do.
    """
    if config is None:
        light = find_spec("torch") is None
        config = built_in(light)
        if light:
            say("The extra 'llm' is not installed: TF-IDF and EASE stand in for MiniLM and the transformer.")
    settings = read_config(config, [*overrides, *([] if seed is None else [f"seed={seed}"])])
    options = Runtime(**{**vars(runtime or Runtime()), "seed": settings.seed})
    corrections = chosen_corrections(settings)
    for check in (chosen_model, chosen_encoder):  # a wrong setting is told before anything is read or written
        check(settings)
    place = Path(out) if out is not None else default_folder(settings, resume=resume)
    folder = RunFolder.open(place, settings, resume=resume)
    say(f"writing   {folder.path}")
    stages: dict[str, list[Correction]] = {v.BASELINE: []}
    if corrections:
        stages[v.CORRECTED] = corrections

    with options.limited():
        with folder.stage("prepare") as stage:
            if stage.done:
                prepared = read_prepared(settings, folder)
            else:
                prepared, data = prepare(settings, options)
                write_prepared(prepared, data, folder, stage)
        say(f"prepared  {_counts(folder.manifest['stages']['prepare']['rows'])}")

        with folder.stage("encode") as stage:
            vectors = encode(settings, prepared.train, options)
            if vectors is not None and vectors.account:
                stage.facts["modalities"] = list(vectors.account)
        said = "no texts" if vectors is None else f"{len(vectors.ids)} items by {settings.encoder.name}"
        say(f"encoded   {said}")

        models: dict[str, Fitted] = {}
        for name, chosen in stages.items():
            if name == v.CORRECTED and not retrains(chosen):
                models[name] = models[v.BASELINE]  # corrections of the lists alone need no other model
                continue
            with folder.stage(f"train {name}") as stage:
                saved, checkpoint = folder.path / "model" / name, folder.path / f"training-{name}.safetensors"
                if stage.done:
                    models[name] = load_model(saved)
                else:
                    models[name], facts = train(settings, prepared, vectors, chosen, options, checkpoint)
                    save_model(models[name], saved)
                    checkpoint.unlink(missing_ok=True)
                    stage.facts |= facts
                    if cards := propensity_cards(facts):
                        folder.write_json(f"model/{name}/card.json", cards)
            say(f"trained   {settings.model.name}, {name}")

        with folder.stage("recommend") as stage:
            if stage.done:
                lists = folder.read_frame("recommendations.parquet")
            else:
                lists, facts = recommend_all(settings, models, stages, prepared, vectors, options)
                folder.write_frame("recommendations.parquet", lists)
                write_vectors(models, prepared, folder)
                stage.facts |= facts
            say(f"ranked    {len(lists):,} rows for {lists[v.USER].n_unique():,} users")

        with folder.stage("measure") as stage:
            cards = propensity_cards(folder.manifest["stages"].get(f"train {v.CORRECTED}", {}))
            measured = measure(lists, prepared, vectors, settings, options, cards)
            folder.write_json("metrics.json", measured.metrics)

        with folder.stage("report"):
            folder.write_text("report.html", present(settings, folder.manifest, measured, lists, prepared))
        folder.finish()
    return Run(folder.path, settings)


def _counts(rows: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in rows.items())
