"""The harness: parts are measured once, lines are replaced by their own row only; and the rows that are quick."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from benchmarks import __main__ as command
from benchmarks import registry, results, row
from benchmarks.row import Part, Row

needs_data = pytest.mark.skipif("EQUIPOISE_DATA" not in os.environ, reason="needs real data (EQUIPOISE_DATA)")


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache and an empty results file."""
    monkeypatch.setattr(row, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(results, "RESULTS", tmp_path / "RESULTS.md")
    return tmp_path


def counting(name: str = "toy", fail_at: int = -1) -> tuple[Row, list[tuple[str, int]]]:
    """A row that notes what was measured, and may break at a seed."""
    measured: list[tuple[str, int]] = []

    def measure(setting: str, seed: int, folder: Path) -> Part:
        if seed == fail_at:
            raise KeyboardInterrupt
        measured.append((setting, seed))
        hits = pl.DataFrame({"user_id": [3, 1, 2], "hit": [float(seed), 0.0, 1.0]})
        return Part({"hit": float(hits["hit"].mean()), "size": 2.0}, hits)

    return Row(name, "three users", {"plain": (0, 1), "other": (0,)}, measure), measured


def test_parts_are_measured_once(bench: Path) -> None:
    toy, measured = counting()
    for _ in range(2):
        for setting, seeds in toy.parts.items():
            for seed in seeds:
                toy.run(setting, seed)
    assert measured == [("plain", 0), ("plain", 1), ("other", 0)]
    assert toy.finished("plain")[1]["values"] == {"hit": pytest.approx(2 / 3), "size": 2.0}


def test_parts_that_were_measured_with_something_else_are_measured_anew(bench: Path) -> None:
    toy, measured = counting()
    toy.run("other", 0)
    told = replace(toy, identity=lambda setting: "strength 1")
    told.run("other", 0)
    assert measured == [("other", 0)]  # from before the row told
    told.run("plain", 0)
    told.run("plain", 0)
    assert len(told.per_user("plain")) == len(told.finished("plain")) == 1
    other = replace(told, identity=lambda setting: "strength 2")
    assert other.finished("plain") == {}
    assert other.per_user("plain") == []
    assert replace(told, protocol="four users").finished("plain") == {}
    other.run("plain", 0)
    assert measured == [("other", 0), ("plain", 0), ("plain", 0)]


def test_an_interrupted_row_goes_on(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, _ = counting(fail_at=1)
    monkeypatch.setitem(registry.ROWS, "toy", broken)
    with pytest.raises(KeyboardInterrupt):
        command.main(["toy"])
    whole, measured = counting()
    monkeypatch.setitem(registry.ROWS, "toy", whole)
    assert command.main(["toy"]) == 0
    assert measured == [("plain", 1)]  # every setting's first seed had been measured before


def test_one_part_can_be_asked_for(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy, measured = counting()
    monkeypatch.setitem(registry.ROWS, "toy", toy)
    command.main(["toy:plain:1"])
    assert measured == [("plain", 1)]


def test_unknown_rows_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["no-such-row"]) == 2
    assert "ml1m-ease" in capsys.readouterr().err


def test_listing_measures_nothing(bench: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in registry.ROWS)
    assert not (bench / "RESULTS.md").exists()


def test_each_row_replaces_its_own_lines(bench: Path) -> None:
    path = bench / "RESULTS.md"
    (one, _), (two, _) = counting("one"), counting("two")
    for each in (one, two):
        each.run("plain", 0)
        results.write(each, path)
    before = path.read_text("utf-8")
    one.run("plain", 1)
    lines = results.write(one, path)
    after = path.read_text("utf-8")
    assert len(lines) == 1
    assert "0, 1" in lines[0]
    unchanged = [line for line in before.splitlines() if line.startswith("| two |")]
    assert unchanged == [line for line in after.splitlines() if line.startswith("| two |")]
    assert after.count("| one |") == 1


def test_settings_measured_elsewhere_stay_unless_the_protocol_is_another(bench: Path) -> None:
    path = bench / "RESULTS.md"
    toy, _ = counting()
    for setting in toy.parts:
        toy.run(setting, 0)
    results.write(toy, path)
    elsewhere = "".join(line for line in path.read_text("utf-8").splitlines(True) if "| other |" in line)
    toy._file("other", 0).unlink()
    toy.run("plain", 1)
    assert len(results.write(toy, path)) == 1
    assert elsewhere in path.read_text("utf-8")
    results.write(replace(toy, protocol="four users"), path)
    assert "| other |" not in path.read_text("utf-8")


def test_seeds_are_averaged_per_user(bench: Path) -> None:
    """Users 1, 2, 3 have means 0, 1 and (0 + 1)/2 over the seeds: their mean is 0.5."""
    toy, _ = counting()
    for seed in (0, 1):
        toy.run("plain", seed)
    (line,) = results.write(toy, bench / "RESULTS.md")
    assert "hit 0.5000 [" in line
    assert "(per seed 0.3333, 0.6667)" in line


def test_a_gain_is_paired_by_user_and_leaves_out_those_it_says_nothing_of(bench: Path) -> None:
    """By user 0.5, 0.5, 0.5 and nothing against 0, 0.5, 0.25 and 1: the gains are 0.5, 0 and 0.25."""
    hits = {"off": [[0.0, 0.5, 0.0, 1.0], [0.0, 0.5, 0.5, 1.0]], "on": [[0.5, 0.5, 0.5, None]] * 2}

    def measure(setting: str, seed: int, folder: Path) -> Part:
        return Part({"hit": 0.0}, pl.DataFrame({"user_id": [1, 2, 3, 4], "hit": hits[setting][seed]}))

    toy = Row("toy", "made by hand", {"off": (0, 1), "on": (0, 1)}, measure, against={"on": "off"})
    for seed in (0, 1):
        toy.run("off", seed)
        toy.run("on", seed)
    off, on = results.write(toy, bench / "RESULTS.md")
    assert "hit over" not in off
    # (1.96 + 0.84) * 0.25 / sqrt(3)
    assert "hit over off: n 3, detectable 0.4044, gain +0.2500 [" in on
    assert "(+100.0%)" in on


@needs_data
def test_popularity_on_ml_100k_is_the_printed_number(tmp_path: Path) -> None:
    """0.0970 over 909 users, by the protocol of the row."""
    part = registry.ROWS["ml100k-popular"].measure("popular", 0, tmp_path)
    assert part.per_user is not None
    assert len(part.per_user) == 909
    assert part.values["NDCG@10"] == pytest.approx(0.0970, abs=5e-5)


@needs_data
def test_leave_last_holds_out_one_event_of_each_user() -> None:
    from benchmarks import data

    parts = data.leave_last(data.read("ml-1m", "movielens"))
    users = parts.train.events["user_id"].n_unique()
    assert (len(parts.valid.events), len(parts.test.events)) == (users, users) == (6040, 6040)
    assert len(parts.train.events) == 999_611 - 2 * 6040
    last = parts.train.events.group_by("user_id").agg(pl.col("order").max())
    held = last.join(parts.test.events, on="user_id")
    np.testing.assert_array_equal(held["order"] + 2, held["order_right"])
