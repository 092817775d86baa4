"""Equipoise: from event logs to recommendations one can defend.

import equipoise
run = equipoise.run("config.toml")
run.recommendations, run.metrics, run.report
"""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from equipoise.config import Config, read_config
    from equipoise.data import Dataset
    from equipoise.pipeline.run import Run, run

__version__ = version("equipoise")
__all__ = ["Config", "Dataset", "Run", "__version__", "read_config", "run"]

_HOMES = {
    "run": "equipoise.pipeline.run",
    "Run": "equipoise.pipeline.run",
    "Config": "equipoise.config",
    "read_config": "equipoise.config",
    "Dataset": "equipoise.data",
}


def __getattr__(name: str) -> Any:
    """Load the few names of the front door when they are asked for, so that `import equipoise` stays light."""
    if name not in _HOMES:
        raise AttributeError(f"module 'equipoise' has no attribute '{name}'")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)
