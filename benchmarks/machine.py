"""Where and with what a number was measured."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
import resource
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_PACKAGES = ("numpy", "scipy", "polars", "torch")


class Meter:
    """Wall time and processor time, and the process's peak memory up to the end of the block.

    Processor time is what a busy machine does not change much.
    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_mib: float = 0.0

    def __enter__(self) -> Self:
        self._started, self._worked = time.perf_counter(), time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.seconds = time.perf_counter() - self._started
        self.cpu_seconds = time.process_time() - self._worked
        self.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def surroundings() -> dict[str, Any]:
    """Processor, load at the end of the measurement, versions and date."""
    return {
        "machine": f"{os.cpu_count()} x {processor()}",
        "load": round(os.getloadavg()[0], 1),
        "versions": {name: importlib.metadata.version(name) for name in _PACKAGES},
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


def threads() -> int:
    """Threads to measure with: as OMP_NUM_THREADS says, else all cores."""
    return int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count() or 1


def processor() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    if not info.exists():
        return platform.processor() or platform.machine()
    named = [
        line.partition(":")[2] for line in info.read_text().splitlines() if line.startswith("model name")
    ]
    return " ".join(named[0].split()) if named else platform.machine()
