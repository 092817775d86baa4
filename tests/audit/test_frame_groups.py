"""Columns of users as groups: nothing merges, nothing is lost, and what is missing is unknown."""

import math

import numpy as np
import pandas as pd
import polars as pl
import pytest

from equipoise.audit.fairness.groups import attributes, strata
from equipoise.audit.fairness.resampling import Sample, Settings
from equipoise.errors import ConfigError, DataError

from .test_frame import codes, made, tables


def divided(columns, names, intersections=1):
    return attributes(pl.DataFrame(columns), names, intersections)


def test_a_column_may_be_called_like_an_intersection():
    """By name alone it was left out of the finest cells, and all users of a cell landed in the last group."""
    hits = [1] * 40 + [0] * 40
    given = tables(hits, ["M", "F"] * 40)
    given["users"] = given["users"].with_columns(pl.Series("arm x dose", ["a"] * 40 + ["b"] * 40))
    frame = made(given | {"groups": ["gender", "arm x dose"]})
    own = frame.by_group.filter(attribute="arm x dose")
    assert own["value"].to_list() == [1, 0]
    assert own["users"].to_list() == [40, 40]
    with pytest.raises(ConfigError, match="both called 'a x b'"):
        divided({"a": ["1"], "b": ["2"], "a x b": ["3"]}, ["a", "b", "a x b"], 2)


def test_cells_with_alike_names_stay_apart():
    columns = {"a": ["p x q", "p", "p"], "b": ["r", "q x r", "x"]}
    (_, _, crossed), _ = divided(columns, ["a", "b"], 2)
    assert crossed.labels == ('p x "q x r"', 'p x "x"', '"p x q" x r', "unknown")
    assert crossed.codes.tolist() == [2, 0, 1]
    assert crossed.parts == ("a", "b")
    assert crossed.cells == (("p", "q x r"), ("p", "x"), ("p x q", "r"))
    assert len(set(strata(pl.DataFrame(columns), ["a", "b"]).tolist())) == 3
    assert strata(pl.DataFrame({"a": ["p", None], "b": [None, "q"]}), ["a", "b"]).tolist() in ([0, 1], [1, 0])


def test_lines_of_an_intersection_share_values_of_its_parts():
    columns = {"a": list("uuvv"), "b": list("1212"), "c": list("xxxy")}
    found, _ = divided(columns, ["a", "b", "c"], 3)
    two = next(one for one in found if one.parts == ("a", "b"))
    assert two.lines == [[0, 1], [2, 3], [0, 2], [1, 3]]
    three = found[-1]
    assert [three.cells[i] for i in three.lines[0]] == [("u", "1", "x"), ("u", "2", "x")]
    assert [0, 1] in three.lines
    assert [0, 1, 2] in three.lines
    assert found[0].lines == []


def test_bands_of_near_numbers_stay_apart():
    """1000000 and small steps: with four digits all five bands had one name."""
    values = [1_000_000 + 0.1 * i for i in range(100)]
    (attribute,), notes = divided({"income": values}, ["income"])
    assert attribute.labels[:2] == ("[1000000, 1000002)", "[1000002, 1000004)")
    assert np.bincount(attribute.codes).tolist() == [20] * 5
    assert notes[0].values == {"attribute": "income", "bands": 5}
    (tiny,), _ = divided({"x": [1 + 1e-12 * i for i in range(50)]}, ["x"])
    assert len(set(tiny.labels)) == 6
    (odd,), _ = divided({"x": [0.1 * i for i in range(20)] + [math.inf, math.nan, None]}, ["x"])
    assert odd.labels[0] == "[0, 0.4)"
    assert odd.codes.tolist()[-3:] == [5, 5, 5]


@pytest.mark.parametrize("word", ["NaN", "nan", "N/A", "None", "Unknown", " unknown ", "", "null", "<NA>"])
def test_words_for_missing_values_are_unknown(word):
    frame = made(tables([1, 0, 1, 0, 1], ["M", "F", "M", "F", word]))
    assert frame.by_group["group"].to_list() == ["F", "M", "unknown"]
    said = [note.values["words"] for note in frame.notes if note.code == "missing_words"]
    assert said == ([f'"{word.strip()}"'] if word else [])
    assert "attribute_missing" in codes(frame)


def test_attributes_of_any_type():
    (flag,), _ = divided({"a": [True, False, None]}, ["a"])
    assert flag.labels == ("false", "true", "unknown")
    (empty,), _ = divided({"a": pl.Series([None, None], dtype=pl.String)}, ["a"])
    assert empty.labels == ("unknown",)
    assert empty.codes.tolist() == [0, 0]
    (small,), _ = divided({"a": pl.Series([3, 200, None], dtype=pl.UInt8)}, ["a"])
    assert small.labels == ("3", "200", "unknown")
    (huge,), _ = divided({"a": [1e300, 2.0]}, ["a"])
    assert huge.codes.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["system", "user_id", "hit"])
def test_attributes_with_names_of_the_tables_are_refused(name):
    given = tables([1, 0], ["M", "F"])
    given["users"] = (
        given["users"].with_columns(pl.lit("a").alias(name)) if name != "user_id" else given["users"]
    )
    with pytest.raises(ConfigError, match=f"An attribute cannot be called '{name}'"):
        made(given | {"groups": ["gender", name]})


def test_the_users_cannot_be_controlled_for_and_a_control_counts_once():
    given = tables([1, 0] * 20, ["M", "F"] * 20, region=["n"] * 20 + ["s"] * 20)
    with pytest.raises(ConfigError, match="cannot be controlled for"):
        made(given | {"controls": ["user_id"]})
    once, twice = (made(given | {"controls": ["region"] * n}) for n in (1, 2))
    assert once.gaps.equals(twice.gaps)


def test_columns_of_mixed_types_are_refused_in_words():
    given = tables([1, 0], ["M", "F"])
    users = pd.DataFrame({"user_id": [1, 2], "gender": pd.Series(["M", 2.5], dtype=object)})
    with pytest.raises(DataError, match="'gender'"):
        made(given | {"users": users})
    mixed = pl.DataFrame({"user_id": [1, 2], "gender": pl.Series(["M", 2.5], dtype=pl.Object)})
    with pytest.raises(DataError, match="'gender' of the users is no attribute"):
        made(given | {"users": mixed})


def test_intersections_are_suppressed_line_by_line():
    """One cell of 7: it must follow neither from the women nor from the north."""
    sizes = {("F", "n"): 7, ("F", "s"): 60, ("F", "w"): 70, ("M", "n"): 80, ("M", "s"): 90, ("M", "w"): 95}
    gender = [g for (g, _), n in sizes.items() for _ in range(n)]
    region = [r for (_, r), n in sizes.items() for _ in range(n)]
    given = tables([1, 0] * (len(gender) // 2), gender, region=region) | {"groups": ["gender", "region"]}
    frame = made(given, intersections=2, min_cell=30)
    crossed = frame.by_group.filter(attribute="gender x region")
    hidden = crossed.filter(pl.col("suppressed"))["group"].to_list()
    assert hidden == ["F x n", "F x s", "M x n", "M x s"]
    assert crossed.filter(pl.col("suppressed"))["value"].null_count() == 4


def test_everybody_comes_from_the_draws_of_the_groups(monkeypatch):
    """Where attributes are drawn apart, the worst group is still held against its own users."""
    rng = np.random.default_rng(0)
    values = rng.random((300, 1))
    columns = {"a": rng.choice(["p", "q"], 300), "b": rng.choice(["r", "s"], 300)}
    found, _ = divided(columns, ["a", "b"])
    monkeypatch.setattr("equipoise.audit.fairness.resampling._SHARED", 0)
    sample = Sample(values, found, np.zeros(300, dtype=np.int64), Settings(n_bootstrap=100))
    for attribute in found:
        drawn = sample.cells(sample.parts[0], attribute)
        mean = drawn.sums.sum(axis=1) / drawn.drawn.sum(axis=1)[:, None]
        np.testing.assert_allclose(sample.everybody(sample.parts[0], attribute).draws[:, 0], mean)
