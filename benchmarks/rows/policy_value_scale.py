"""Ten million logged rows with a model's columns: time, memory, and the same numbers on Spark."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl

from benchmarks.row import Part, Row
from equipoise.causal.off_policy import policy_value

_ROWS, _USERS, _BLOCK = 10_000_000, 500_000, 1_000_000
_MODEL = ("q_logged", "q_target")
_NAMES = ("snips", "dr")


def _file(folder: Path) -> Path:
    """The log, drawn once."""
    path = folder / "log.parquet"
    if not path.exists():
        blocks = [_block(seed) for seed in range(_ROWS // _BLOCK)]
        pl.concat(blocks).write_parquet(path, row_group_size=_BLOCK)
    return path


def _block(seed: int) -> pl.DataFrame:
    rng = np.random.default_rng([seed, 10])
    quality = rng.uniform(0.01, 0.1, _BLOCK)
    propensity = rng.uniform(0.02, 0.5, _BLOCK)
    weight = rng.uniform(0, 2, _BLOCK)  # mean 1, as a target that the logger supports has it
    return pl.DataFrame(
        {
            "user_id": rng.integers(0, _USERS, _BLOCK),
            "item_id": rng.integers(0, 10_000, _BLOCK),
            "reward": (rng.random(_BLOCK) < quality).astype(float),
            "propensity": propensity,
            "e": propensity * weight,
            "q_logged": quality,
            "q_target": quality,
        }
    )


def _measure(setting: str, seed: int, folder: Path) -> Part:
    """In a process of its own, so that its memory is its own."""
    path = _file(folder)
    engine, _, by = setting.partition(", ")
    command = [sys.executable, "-m", "benchmarks.rows.policy_value_scale", engine, by, str(path)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    values = dict(line.split("=") for line in lines if "=" in line)
    return Part({name: float(value) for name, value in values.items()})


def _main(engine: str, by: str, path: str) -> None:
    cluster = "user_id" if by == "by user" else None
    columns = ["item_id", "reward", "propensity", "e", *_MODEL, *([cluster] if cluster else [])]
    if engine == "Spark":
        from pyspark.sql import SparkSession

        session = SparkSession.builder.master("local[2]").config("spark.driver.memory", "2g").getOrCreate()
        session.sparkContext.setLogLevel("ERROR")
        log = session.read.parquet(path).select(*columns)
    else:
        log = pl.scan_parquet(path).select(columns)
    began, worked = time.perf_counter(), time.process_time()
    for name in _NAMES:
        start = time.perf_counter()
        found = policy_value(log, "e", name, _MODEL)
        print(f"{name}={found.value!r}\n{name} low={found.low!r}\n{name} high={found.high!r}")
        print(f"{name} s={time.perf_counter() - start}")
    print(f"both s={time.perf_counter() - began}")
    print(f"both CPU s={time.process_time() - worked}")  # on Spark, without the JVM's
    if engine != "Spark":  # there the memory is the JVM's
        print(f"peak GiB={resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20}")


SCALE = Row(
    name="policy-value-10m",
    protocol=f"{_ROWS:,} rows in Parquet ({_USERS:,} users), target and outcome model as columns; SNIPS and DR with "
    "95 % intervals one after the other, in a process of their own",
    parts={"Polars, by user": (0,), "Polars, by row": (0,), "Spark, by user": (0,)},
    measure=_measure,
    target="under 20 s and 4 GB on 2 cores; Spark equal",
)
ROWS = (SCALE,)

if __name__ == "__main__":
    _main(*sys.argv[1:])
