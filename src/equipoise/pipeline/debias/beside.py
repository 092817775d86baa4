"""A second process that works on a comparison from its other end, into the same folder; they meet in the middle."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from equipoise.config import Config, read_config
from equipoise.pipeline.causal.writing import Say
from equipoise.pipeline.debias.comparing import train_all
from equipoise.pipeline.debias.ground import Ground
from equipoise.pipeline.debias.request import DebiasRequest
from equipoise.pipeline.debias.store import Store
from equipoise.pipeline.debias.systems import systems


@contextmanager
def helped(settings: Config, asked: DebiasRequest, folder: Path, say: Say) -> Iterator[None]:
    """A second process at work for as long as the block lasts.

    It only adds finished parts to the folder, so that whatever becomes of it nothing is wrong or missing: parts that
    are not there are made by whoever asks for them.

    Args:
        settings: As the comparison has them.
        asked: Which corrections, how often.
        folder: Of the comparison, made already.
        say: Called with its lines too.
    """
    told = {"config": settings.model_dump(mode="json"), "request": asked.model_dump(mode="json")}
    worker = subprocess.Popen(
        [sys.executable, "-m", __name__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert worker.stdin is not None
    assert worker.stdout is not None
    reader = Thread(target=_pass_on, args=(worker.stdout, say), daemon=True)
    reader.start()
    try:
        with worker.stdin as pipe:
            pipe.write(json.dumps(told))
        yield
    finally:
        worker.terminate()
        worker.wait()
        reader.join(timeout=5)


def _pass_on(lines: Iterable[str], say: Say) -> None:
    for line in lines:
        say(line.rstrip("\n"))


def _work(folder: Path) -> None:
    told = json.load(sys.stdin)
    settings, asked = read_config(told["config"]), DebiasRequest.of(told["request"])
    ground = Ground.read(settings)
    chosen, _ = systems(
        settings,
        ground.train,
        ground.recommender,
        asked.methods,
        strict=False,
    )
    with ground.runtime(0).limited():
        train_all(
            ground, chosen, asked.seeds, Store(folder), lambda line: print(line, flush=True), backwards=True
        )


if __name__ == "__main__":
    _work(Path(sys.argv[1]))
