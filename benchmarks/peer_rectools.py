"""Times epochs of RecTools' SASRec; run by the row `sequence-epoch` with the interpreter of `make peers`.

Usage: peer_rectools.py EVENTS.csv EPOCHS THREADS; prints wall and processor seconds of each epoch as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from typing import ClassVar

import pandas as pd
import torch
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel


class Stopwatch(Callback):
    """Wall and processor time of each training epoch."""

    seconds: ClassVar[
        list[tuple[float, float]]
    ] = []  # of the class: RecTools trains with a copy of the trainer

    def on_train_epoch_start(self, *_: object) -> None:
        self.started = time.perf_counter(), time.process_time()

    def on_train_epoch_end(self, *_: object) -> None:
        wall, worked = self.started
        self.seconds.append((time.perf_counter() - wall, time.process_time() - worked))


def main(path: str, epochs: int, threads: int) -> None:
    """SASRec of the same size and loss: width 64, 2 blocks, 1 head, length 200, softmax over all items."""
    events = pd.read_csv(path)
    events = events.rename(columns={"user_id": Columns.User, "item_id": Columns.Item})
    events[Columns.Datetime] = pd.to_datetime(events.pop("order"), unit="s")
    events[Columns.Weight] = 1.0
    torch.set_num_threads(threads)
    model = SASRecModel(
        n_factors=64,
        n_blocks=2,
        n_heads=1,
        session_max_len=200,
        dropout_rate=0.1,
        loss="softmax",
        batch_size=64,
        lr=1e-3,
        get_trainer_func=lambda: Trainer(
            max_epochs=epochs,
            accelerator="cpu",
            callbacks=[Stopwatch()],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        ),
    )
    model.fit(Dataset.construct(events))
    print(json.dumps(Stopwatch.seconds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
