"""Times fairlearn's MetricFrame bootstrap; run by the row `audit-scale` with the interpreter of `make peers`.

Usage: peer_fairlearn.py VALUES.csv DRAWS; prints seconds per draw and the values by group as JSON.
"""

from __future__ import annotations

import json
import sys
import time

import pandas as pd
from fairlearn.metrics import MetricFrame


def mean(values: pd.Series, _: pd.Series) -> float:
    return float(values.mean())


def main(path: str, draws: int) -> None:
    """Means of two columns over the cells of gender and age, resampled."""
    table = pd.read_csv(path, float_precision="round_trip", dtype={"age": str})
    groups = table[["gender", "age"]]
    seconds, frames = 0.0, {}
    for metric in ("ndcg@10", "exposure@10"):
        values = table[metric]
        started = time.perf_counter()
        frames[metric] = MetricFrame(metrics=mean, y_true=values, y_pred=values, sensitive_features=groups)
        plain = time.perf_counter() - started
        started = time.perf_counter()
        MetricFrame(
            metrics=mean,
            y_true=values,
            y_pred=values,
            sensitive_features=groups,
            n_boot=draws,
            ci_quantiles=[0.025, 0.975],
            random_state=0,
        )
        seconds += (time.perf_counter() - started - plain) / draws
    found = pd.DataFrame({metric: frame.by_group for metric, frame in frames.items()}).reset_index()
    print(json.dumps({"seconds_per_draw": seconds, "values": found.to_dict(orient="records")}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
