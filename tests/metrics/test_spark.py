import numpy as np
import polars as pl

from equipoise.metrics import parse, parse_system, per_user, system


def test_spark_frames_give_the_same_numbers(spark):
    rng = np.random.default_rng(3)
    shown = pl.DataFrame(
        [(u, int(i), r) for u in range(30) for r, i in enumerate(rng.permutation(20)[:5], 1)],
        schema=["user_id", "item_id", "rank"],
        orient="row",
    )
    taken = pl.DataFrame({"user_id": rng.integers(0, 30, 80), "item_id": rng.integers(0, 20, 80)})
    metrics = {name: parse(name) for name in ("ndcg@5", "map@5", "hit_rate@1", "recall@5")}
    there = [spark.createDataFrame(frame.rows(), frame.columns) for frame in (shown, taken)]
    table = per_user(*there, metrics)
    exposure = system(there[0], 20, {"gini@5": parse_system("gini@5")})
    assert isinstance(table, pl.DataFrame)
    np.testing.assert_allclose(table.to_numpy(), per_user(shown, taken, metrics).to_numpy(), atol=1e-12)
    assert exposure == system(shown, 20, {"gini@5": parse_system("gini@5")})
