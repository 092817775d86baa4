from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from equipoise.data.config import Source, read
from equipoise.debias import Context
from equipoise.debias.during.inverse_propensity import InversePropensity

SHOWN = [  # item, position, click, propensity
    (0, 1, 1, 0.5),
    (1, 2, 0, 0.25),
    (1, 1, 1, 0.1),
    (2, 3, 1, 0.4),
]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    folder = tmp_path / "bts" / "men"
    folder.mkdir(parents=True)
    features = ",".join(f"user_feature_{i}" for i in range(4))
    rows = [
        f"{row},2019-11-24 00:00:0{row}+00:00,{item},{position},{click},{propensity},a,b,c,d"
        for row, (item, position, click, propensity) in enumerate(SHOWN)
    ]
    header = f",timestamp,item_id,position,click,propensity_score,{features}"
    (folder / "men.csv").write_text("\n".join([header, *rows]) + "\n")
    (folder / "item_context.csv").write_text("item_id,item_feature_0\n0,0.1\n1,0.2\n2,0.3\n")
    return tmp_path / "bts"


def test_clicks_are_weighed_by_the_logged_propensity(log: Path) -> None:
    data = read(Source(format="open-bandit", path=str(log)))
    raw = InversePropensity().training(data, Context(data=data))
    assert raw.weights is not None
    candidates = (3 + 2 + 3 + 1) / 4  # of three items, fewer at each place
    clicked = (data.events["event"] == "click").to_numpy()
    np.testing.assert_allclose(sorted(raw.weights[clicked] * candidates), [2, 2.5, 10], rtol=1e-6)
    np.testing.assert_array_equal(raw.weights[~clicked], 1)


def test_a_click_is_its_impression_but_for_the_reward(log: Path) -> None:
    data = read(Source(format="open-bandit", path=str(log)))
    shown, clicks = (data.events.filter(event=kind) for kind in ("impression", "click"))
    assert shown["reward"].to_list() == [1, 0, 1, 1]
    assert clicks["reward"].null_count() == len(clicks) == 3
    same = ["user_id", "item_id", "timestamp", "position", "propensity", "policy"]
    assert clicks.select(same).equals(shown.filter(reward=1).select(same))
