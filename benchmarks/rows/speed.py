"""Wall times: an epoch of the transformer, a full-ranking evaluation, a generated log."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
from numpy.typing import NDArray

from benchmarks import data
from benchmarks.machine import Meter, threads
from benchmarks.row import Part, Row
from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.errors import MissingExtraError
from equipoise.metrics import average_precision, hit_rate, mrr, ndcg, per_user, precision, recall
from equipoise.models import Fitted, Training, models
from equipoise.models.histories import Histories
from equipoise.models.recommender import Saved
from equipoise.statistics import bootstrap_means
from equipoise.worlds import Storefront

_HERE = Path(__file__).parents[1]
_PEERS = _HERE / ".venv-peers" / "bin" / "python"

_USERS = 4_500  # a little over a million impressions in the world's 30 days
_EPOCHS = 1
_PEER = "RecTools 0.19 SASRec, softmax, float32"
_OURS: dict[str, dict[str, Any]] = {
    "full softmax, bfloat16": {"precision": "bfloat16"},
    "full softmax, float32": {"precision": "float32"},
    "512 shared negatives, logQ, bfloat16": {"loss": "sampled_softmax", "negatives": 512},
}


def _epoch(setting: str, seed: int, folder: Path) -> Part:
    train = data.leave_last(data.read("ml-1m", "movielens")).train
    if setting == _PEER:
        targets = int((train.events.group_by("user_id").len()["len"] - 1).clip(upper_bound=200).sum())
        wall, worked = _peer(train.events, folder)
    else:
        targets = len(train.events)
        wall, worked = _own(train, _OURS[setting], seed)
    return Part(
        {
            "s/epoch": wall,
            "CPU s/epoch": worked,
            "targets": targets,
            "µs/target": 1e6 * wall / targets,
            "CPU µs/target": 1e6 * worked / targets,
        },
        notes={"threads": threads()},
    )


def _own(train: Dataset, fields: dict[str, Any], seed: int) -> tuple[float, float]:
    """Wall and processor seconds of our last epoch, from its first step to its last."""
    wall, worked = [], list[float]()

    def stamp(_: object) -> None:
        wall.append(time.perf_counter())
        worked.append(time.process_time())

    config = models.build("sequence", {"epochs": _EPOCHS, "batch_places": 6400, **fields})
    runtime = Runtime(seed=seed, threads=threads())
    config.fit(train, training=Training(gradient_transform=stamp), runtime=runtime)
    steps = len(wall) // _EPOCHS
    scale = steps / (steps - 1)
    return scale * (wall[-1] - wall[-steps]), scale * (worked[-1] - worked[-steps])


def _peer(events: pl.DataFrame, folder: Path) -> tuple[float, float]:
    """Wall and processor seconds of an epoch of RecTools' SASRec on the same events."""
    if not _PEERS.exists():
        raise MissingExtraError("rectools", extra="dev", purpose="The row beside RecTools (make peers)")
    file = folder / "events.csv"
    events.select("user_id", "item_id", "order").write_csv(file)
    command = [str(_PEERS), str(_HERE / "peer_rectools.py"), str(file), str(_EPOCHS), str(threads())]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    file.unlink()
    wall, worked = json.loads(run.stdout.splitlines()[-1])[-1]
    return wall, worked


@dataclass(frozen=True, kw_only=True)
class Stored(Fitted):
    """A model whose scores were made before: what is left to time is everything else."""

    scores: NDArray[np.float32]

    def score(self, users: NDArray[np.int64], histories: Histories) -> NDArray[np.float32]:
        return self.scores[users]

    def arrays(self) -> Mapping[str, NDArray[Any]]:
        return {"scores": self.scores}

    @classmethod
    def restore(cls, saved: Saved) -> Self:
        return cls(**saved.shared, scores=saved.arrays["scores"])


def _evaluation(setting: str, seed: int, folder: Path) -> Part:
    """Lists, all metrics and their intervals, from scores to numbers."""
    parts = data.leave_last(data.read("ml-1m", "movielens"))
    ease = models.build("ease").fit(data.joined(parts.train, parts.valid))
    users = ease.catalogue.users
    scores = np.concatenate([block for _, _, block in ease.blocks(np.arange(len(users)))])
    shared = {name: getattr(ease, name) for name in ("config", "catalogue", "histories", "calibration")}
    model = Stored(**shared, scores=scores)
    wanted = {
        metric.name: metric
        for k in (5, 10, 20)
        for metric in (ndcg(k), hit_rate(k), recall(k), precision(k), mrr(k), average_precision(k))
    }
    with Meter() as ranking:
        lists = model.recommend(users, 20, runtime=Runtime(progress=False))
    with Meter() as measuring:
        frame = pl.DataFrame(per_user(lists, parts.test.events, wanted))
        bootstrap_means(frame.select(list(wanted)).to_numpy())
    return Part(
        {
            "s": ranking.seconds + measuring.seconds,
            "CPU s": ranking.cpu_seconds + measuring.cpu_seconds,
            "of these lists s": ranking.seconds,
            "metrics and intervals s": measuring.seconds,
        },
        notes={"metrics": list(wanted)},
    )


def _storefront(setting: str, seed: int, folder: Path) -> Part:
    """From the seed to the log."""
    with Meter() as meter:
        log = Storefront(n_users=_USERS, seed=seed).generate().log
    impressions = len(log.filter(pl.col("event") == "impression"))
    million = impressions / 1e6
    return Part(
        {
            "impressions": impressions,
            "s per million": meter.seconds / million,
            "CPU s per million": meter.cpu_seconds / million,
        }
    )


ROWS = [
    Row(
        "sequence-epoch",
        "ML-1M, leave-last training part; width 64, 2 blocks, 1 head, length 200, batches "
        "of about 64 windows; ours: every event is a target; "
        "RecTools: each user's last 200; one epoch from a fresh start",
        dict.fromkeys((*_OURS, _PEER), (0,)),
        _epoch,
    ),
    Row(
        "ranking-evaluation",
        "ML-1M, leave-last, EASE scores, 6,040 users x 3,416 items; 18 metrics at 5, 10, 20 with bootstrap intervals; "
        "from stored scores to numbers",
        {"top 20": (0,)},
        _evaluation,
    ),
    Row("storefront-log", "built-in world, 1,000,000 impressions or more", {"default": (0,)}, _storefront),
]
