"""Copy by a template and by a small language model: which statements the facts bear, and how often the draft falls."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.machine import Meter, threads
from benchmarks.row import Part, Row
from equipoise.component import Runtime
from equipoise.copywriting import Copywriter
from equipoise.language.generators import generator
from equipoise.pipeline.finished import FinishedRun
from equipoise.pipeline.run import run
from equipoise.pipeline.write import write_all

_TEXTS = 60
_WRITERS = {"template, en": "template", "template, zh": "template", "smollm2, en": "smollm2"}
_DATA: Mapping[str, Mapping[str, Any]] = {
    "storefront": {"world": {"name": "storefront", "n_users": 1000, "n_items": 300}},
    "ml-latest-small": {"format": "movielens", "text": ["title", "genres"]},
}


def _measure(setting: str, seed: int, folder: Path) -> Part:
    name, _, writing = setting.partition(", ")
    source = dict(_DATA[name])
    if "world" not in source:
        source["path"] = str(data.folder(name))
    place = folder / f"run-{name}-{seed}"
    if not (place / "manifest.json").exists():
        run({"data": source, "model": {"name": "ease"}, "encoder": {"name": "none"}, "seed": seed}, out=place)
    finished = FinishedRun.open(place)
    runtime = Runtime(seed=seed, threads=threads(), progress=False)
    writer = generator(_WRITERS[writing]).open(runtime)
    with Meter() as meter:
        said = write_all(
            finished,
            copywriter=Copywriter(lang="zh" if writing.endswith("zh") else "en"),
            writer=writer,
            limit=_TEXTS,
            out=folder / f"copy-{setting.replace(', ', '-')}",
            force=True,
            runtime=runtime,
        )
    fallback = said["fallback"]
    values = {
        "statements drafted": float(said["statements"]["drafted"]),
        "drafted and grounded": said["grounded"]["drafts"],
        "shown and grounded": said["grounded"]["shown"],
        "fallbacks": fallback["value"],
        "fallbacks, low": fallback["low"],
        "fallbacks, high": fallback["high"],
        **{f"texts with {kind}": float(count) for kind, count in said["texts_by_fault"].items()},
        "CPU s per text": meter.cpu_seconds / said["texts"],
    }
    values = {name: value for name, value in values.items() if value is not None}
    return Part(values, notes={"summary": {key: said[key] for key in ("statements", "grounded", "notes")}})


ROWS = [
    Row(
        "copy",
        f"{_TEXTS} users drawn at random, a text about the first item of each list by EASE; statements checked one "
        "by one against the item's fields and the reasons; a draft with a fault is replaced by the template",
        {f"{name}, {writing}": (0,) for name in _DATA for writing in _WRITERS},
        _measure,
        "every statement that is shown is grounded",
        lambda setting: str(_DATA[setting.partition(", ")[0]]),
    )
]
