"""A second process at the other end of a comparison."""

import time

from equipoise.config import read_config
from equipoise.pipeline.debias import debias, journey
from equipoise.pipeline.debias.beside import helped
from equipoise.pipeline.debias.request import DebiasRequest
from equipoise.pipeline.debias.store import PARTS, Store
from tests.pipeline.small_debias import config

ASKED = {"methods": ["exposure", "snips"], "seeds": 2}


def test_the_second_process_begins_at_the_other_end_and_its_parts_are_taken_over(tmp_path):
    settings = config(audit={"groups": []})
    plain = read_config(settings)
    store, lines = Store.open(tmp_path / "out", journey.digest(plain), force=False), []
    with helped(plain, DebiasRequest.of(ASKED), store.path, lines.append):
        until = time.monotonic() + 120
        while not any((store.path / PARTS).glob("exposure-1-*.json")) and time.monotonic() < until:
            time.sleep(0.2)
    assert lines[0].startswith("10/10")
    assert "training 2" in lines[0]
    said = []
    taken = debias(settings, ASKED, out=store.path, say=said.append)
    assert any(line.endswith("exposure, training 2: kept from before") for line in said)
    alone = debias(settings, ASKED, out=tmp_path / "alone")
    for one, other in zip(taken.content["rows"], alone.content["rows"], strict=True):
        assert one["test"] == other["test"], one["name"]


def test_a_comparison_worth_it_is_shared(tmp_path, monkeypatch):
    monkeypatch.setattr(journey, "_WORTH_SHARING", 1)
    asked = ASKED | {"methods": ["exposure"], "processes": 2}
    done = debias(config(audit={"groups": []}), asked, out=tmp_path / "out")
    assert [len(row["trainings"]) for row in done.content["rows"]] == [2] * 4
