import polars as pl
import pytest

from equipoise.config import AuditSection
from equipoise.data import Dataset
from equipoise.models.ease import EASE
from equipoise.pipeline.held_out import held_out
from equipoise.statistics import expected_calibration_error


def part(rows):
    return Dataset(pl.DataFrame(rows, schema=["user_id", "item_id", "value"], orient="row"))


TRAIN = part([(1, 10, 5.0), (2, 10, 5.0)])
LATER = part([(1, 10, 5.0), (1, 11, 2.0), (1, 11, 5.0), (2, 12, 4.0), (3, 10, 1.0)])


@pytest.mark.parametrize(
    ("audit", "pairs"),
    [
        (AuditSection(), [(1, 11), (2, 12), (3, 10)]),
        (AuditSection(exclude_seen=False), [(1, 10), (1, 11), (2, 12), (3, 10)]),
        (AuditSection(relevant=4.0), [(1, 11), (2, 12)]),
    ],
)
def test_what_counts(audit, pairs):
    assert held_out(LATER, (TRAIN,), audit).events.select("user_id", "item_id").rows() == pairs


def test_probabilities_are_right_on_the_events_they_were_calibrated_on():
    """Half of the users only take again what they had; they must not weigh the probabilities down."""
    rows = [(user, item, 1.0) for user in range(400) for item in range(20) if (user + item) % 5 == 0]
    later = [(user, (user * 3) % 20, 1.0) for user in range(400)]
    later = [
        row if row[0] % 2 else next(old for old in rows if old[0] == row[0]) for row in later
    ]  # even users repeat
    train, audit = part(rows), AuditSection()
    judged = held_out(part(later), (train,), audit)
    model = EASE(reg=5.0).fit(train).calibrate(judged)
    truth = judged.events.select("user_id", "item_id").with_columns(taken=pl.lit(1.0))
    lists = model.recommend(truth["user_id"].unique(), 20)
    shown = lists.join(truth, on=["user_id", "item_id"], how="left").with_columns(
        pl.col("taken").fill_null(0.0)
    )
    assert shown["probability"].mean() == pytest.approx(shown["taken"].mean(), rel=0.05)
    assert expected_calibration_error(shown["probability"].to_numpy(), shown["taken"].to_numpy()) < 0.02
