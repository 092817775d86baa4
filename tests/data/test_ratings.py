"""Which events are ratings, and where the scale that they show has its middle."""

import polars as pl
import pytest

from equipoise.data.ratings import middle, ratings


@pytest.mark.parametrize(
    ("values", "expected"),
    [([1.0, 5.0, 4.0], 3.0), ([0.5, 5.0], 2.75), ([3.0, 4.0, 5.0], None), ([1.0], 1.0), ([], None)],
)
def test_the_middle_is_that_of_a_scale_whose_low_end_is_given(values, expected):
    assert middle(pl.Series(values, dtype=pl.Float64)) == expected


def test_only_ratings_with_a_value_count():
    events = pl.DataFrame({"event": ["rating", "purchase", "rating"], "value": [2.0, 9.9, None]})
    assert ratings(events)["value"].to_list() == [2.0]
    assert ratings(events.drop("event"))["value"].to_list() == []
    assert ratings(events.drop("value"))["value"].to_list() == []
