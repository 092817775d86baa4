"""The import rules of docs/architecture.md, and the weight of `import equipoise`."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import equipoise

ROOT = Path(equipoise.__file__).parent
BELOW = {"errors", "component", "progress", "locations"}
"""May be imported by everybody, and import nothing of Equipoise but each other."""

UNDERNEATH = {"metrics", "statistics", "endpoint"}
MAY_IMPORT = {
    "data": set(),
    "metrics": {"data"},
    "statistics": {"data"},
    "endpoint": {"data"},
    "worlds": {"data", *UNDERNEATH},
    "language": {"data", *UNDERNEATH},
    "causal": {"data", *UNDERNEATH},
    "models": {"data", "language", *UNDERNEATH},
    "debias": {"data", "language", "models", "causal", "audit", *UNDERNEATH},
    "explain": {"data", "language", "models", "causal", *UNDERNEATH},
    "copywriting": {"data", "language", "explain", *UNDERNEATH},
    "audit": {"data", *UNDERNEATH},
    "report": {"data", *UNDERNEATH},
    "testing": {"data", "language", "models", "causal", *UNDERNEATH},
}
ON_TOP = {"config", "pipeline", "cli"}
LIGHT = [
    "data",
    "metrics",
    "statistics",
    "endpoint",
    "causal",
    "audit",
    "worlds",
    "language",
    "report",
    "config",
    "cli",
]


def rooms():
    return sorted(
        {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py")} - {"__init__"}
    )


def imported_by(room):
    """Names of Equipoise's rooms that the modules of a room import, with the file that does."""
    place = ROOT / room
    files = place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    for path in files:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                names = [
                    f"{node.module}.{alias.name}" if node.module == "equipoise" else node.module
                    for alias in node.names
                ]
            for name in names:
                first, *rest = name.split(".")
                if first == "equipoise" and rest:
                    yield rest[0], path.relative_to(ROOT)


@pytest.mark.parametrize("room", rooms())
def test_rooms_import_only_what_lies_below_them(room):
    if room in ON_TOP:
        return
    allowed = {room} | BELOW | (MAY_IMPORT[room] if room not in BELOW else set())
    strays = [(target, str(path)) for target, path in imported_by(room) if target not in allowed]
    assert strays == []


def test_only_pipeline_and_command_line_import_the_report():
    users = {room for room in rooms() if any(target == "report" for target, _ in imported_by(room))}
    assert users <= {"report", "pipeline", "cli", "config"}


def test_nobody_below_imports_what_stands_on_top():
    for room in set(rooms()) - ON_TOP:
        assert not {target for target, _ in imported_by(room)} & ON_TOP


def run_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_light_core_loads_nothing_heavy():
    modules = "; ".join(f"import equipoise.{name}" for name in LIGHT)
    heavy = (
        "{'torch', 'transformers', 'sentence_transformers', 'pyspark', 'fastapi', 'pandas', 'duckdb',"
        " 'econml', 'causallearn'}"
    )
    done = run_python(f"import sys, equipoise; {modules}; print(sorted({heavy} & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


def test_light_core_measures_without_torch():
    code = """
import sys
sys.modules["torch"] = None  # any import of it now fails
import polars as pl
from equipoise.metrics import ndcg, per_user
from equipoise.statistics import bootstrap_means
lists = pl.DataFrame({"user_id": [1, 1, 2, 2], "item_id": [1, 2, 1, 2], "rank": [1, 2, 1, 2]})
truth = pl.DataFrame({"user_id": [1, 2], "item_id": [1, 2]})
values = per_user(lists, truth, {"ndcg@2": ndcg(2)})["ndcg@2"]
print(round(values.mean(), 4), bootstrap_means(values.to_numpy()[:, None])[0].value > 0.8)
"""
    done = run_python(code)
    assert done.stdout.split() == ["0.8155", "True"], done.stderr
