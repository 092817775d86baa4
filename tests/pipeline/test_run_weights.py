"""A run tells what its propensities are worth, and measures its lists by them."""

import json

import polars as pl
import pytest

import equipoise
from equipoise.pipeline.measure import weight_notes

SMALL = {
    "name": "small",
    "data": {"world": {"name": "storefront", "n_users": 160, "n_items": 40, "days": 10}},
    "encoder": {"name": "tfidf"},
    "model": {"name": "ease", "reg": 20.0},
    "debias": [{"method": "clipped_ips", "propensity": "given"}],
    "audit": {"k": [5], "n_bootstrap": 100},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    return equipoise.run(SMALL, out=tmp_path_factory.mktemp("runs") / "small")


def test_the_card_of_the_correction_stands_in_metrics_and_page(finished):
    (card,) = finished.metrics["propensities"]
    assert card["method"] == "clipped_ips"
    assert json.loads((finished.path / "model" / "corrected" / "card.json").read_text("utf-8")) == [card]
    assert finished.manifest["stages"]["train corrected"]["clipped_ips"]["card"] == card
    assert card["model"] == "given"
    assert 0 < card["lowest"] < card["highest"] <= 1
    popularity = next(row for row in card["balance"] if row["covariate"] == "popularity")
    assert abs(popularity["after"]) < abs(popularity["before"])
    page = finished.report.read_text("utf-8")
    assert 'id="propensities"' in page
    assert "What the weights are worth" in page


def test_weighted_metrics_stand_beside_equal_ones_and_in_the_protocol(finished):
    told = finished.metrics["weighted"]
    assert set(told["stages"]) == set(told["equal"]) == {"baseline", "corrected"}
    for values in told["stages"].values():
        assert set(values) == {"ndcg@5", "recall@5"}
        assert all(one["low"] <= one["value"] <= one["high"] for one in values.values())
    assert told["equal"]["baseline"]["recall@5"] != told["stages"]["baseline"]["recall@5"]
    assert finished.metrics["protocol"]["weights"].startswith("1 / propensity on ")
    assert "As if all items had been shown alike" in finished.report.read_text("utf-8")


def test_they_can_be_left_out(finished, tmp_path):
    config = {**SMALL, "debias": [], "audit": {**SMALL["audit"], "weighted": False}}
    plain = equipoise.run(config, out=tmp_path / "plain")
    assert not {"weighted", "propensities"} & plain.metrics.keys()
    page = plain.report.read_text("utf-8")
    assert "What the weights are worth" not in page
    assert "shown alike" not in page


def test_pairs_left_out_and_weights_that_leave_too_little_are_told():
    from equipoise.report.languages import Words

    events = pl.DataFrame({"propensity": [0.5, None, None, 0.0, -1.0, 1.5, float("nan"), 1.0]})
    notes = weight_notes(events, 12.4)
    assert [note.split(":")[0] for note in notes] == [
        "2 held-out pairs have no propensity and are left out.",
        "4 held-out pairs have a propensity that is no probability in (0, 1]",
        "The weighted pairs are worth 12 equally weighted ones, fewer than 100",
    ]
    assert all("留出对" in Words("zh").phrase(note) for note in notes)
    assert weight_notes(events.head(1), 500) == []


def test_what_the_weights_leave_stands_on_the_page(finished):
    told = finished.metrics["weighted"]
    worth = told["diagnostics"]["effective_sample_size"]
    page = finished.report.read_text("utf-8")
    assert bool(told["notes"]) == (worth < 100) == ("do not rely on these values" in page)
