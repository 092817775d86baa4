"""What a run says of networks and encoders that learned before it."""

import json
from functools import cache

import numpy as np
import pytest

from equipoise.config import read_config
from equipoise.errors import ModelError
from equipoise.language import Vectors
from equipoise.models import save_model
from equipoise.models.ease import EASE
from equipoise.models.sequence import Sequence
from equipoise.pipeline.folder import content_hash
from equipoise.pipeline.origins import origins, told
from equipoise.pipeline.prepare import Prepared
from equipoise.report.languages import Words
from tests.models.test_sequence_transfer import ALONE, shop

pytest.importorskip("torch")


@cache
def before():
    """A network of another catalogue, which did not have to learn anything to be from there."""
    data, vectors = shop(1, 60, 150)
    return Sequence(**{**ALONE, "epochs": 0}).fit(data, vectors=vectors)


def parts(data, test):
    empty = data.with_events(data.events.clear())
    return Prepared(data, empty, data.with_events(test), {}, None)


def asked(**fields):
    return read_config({"data": {"world": {"name": "storefront"}}, **fields})


def test_a_network_is_said_to_come_from_another_catalogue(tmp_path):
    save_model(before(), tmp_path / "model" / "baseline")
    data, vectors = shop(2, 40, 60)
    begun = {**ALONE, "epochs": 0, "start": str(tmp_path)}
    config = asked(model={"name": "sequence", **begun})
    prepared = parts(data, data.events.head(30))
    (said,) = origins(config, before().transferred(data, vectors), prepared, vectors)
    assert (said["items"], said["users"], said["events"]) == (60, 150, 1050)
    assert (said["held_out"], said["seen"], said["epochs"], said["validation"]) == (30, 0, 0, None)
    assert told([said]) == [
        f"The network began from {tmp_path}, where it learned from 1,050 events of 150 users with 60 items. Epochs of "
        "training here: 0."
    ]


def test_held_out_events_that_it_learned_from_before_are_counted(tmp_path):
    """Where ids and texts agree; where ids alone do, as in catalogues that number their items, it says nothing."""
    save_model(before(), tmp_path / "model" / "baseline")
    data, vectors = shop(1, 60, 150)
    config = asked(model={"name": "blend", "models": [{"name": "sequence", "start": str(tmp_path)}]})
    prepared, model = parts(data, data.events.tail(40)), EASE().fit(data)
    (said,) = origins(config, model, prepared, vectors)
    assert said["seen"] == 40
    lines = told([said | {"validation": [0.1, 0.2]}])
    assert lines[1:] == [
        "Validation NDCG@10 before training here: 0.1000, with what was kept: 0.2000.",
        "40 of 40 held-out events were among those that the network learned from before: measures flatter it.",
    ]
    assert all(
        "网络" in Words("zh").phrase(line) or "NDCG@10：0.1000" in Words("zh").phrase(line) for line in lines
    )
    moved = Vectors(vectors.ids, vectors.matrix + np.float32(1))
    assert origins(config, model, prepared, moved)[0]["seen"] == 0


def test_what_was_fine_tuned_on_another_part_is_told(tmp_path):
    data, vectors = shop(1, 10, 20)
    model, prepared = EASE().fit(data), parts(data, data.events.head(3))
    config = asked(
        encoder={"name": f"hf:{tmp_path}/encoder"},
        model={"name": "llm_ranker", "base": {"name": "ease"}, "generator": f"lora:{tmp_path}/additions"},
    )
    assert origins(config, model, prepared, vectors) == [], "a folder that no fine-tuning of ours wrote"
    for part, same in ((data.positives, True), (data.positives.head(20), False)):
        manifest = {"data": {"sha256": {"train": content_hash(part)}}}
        (tmp_path / "finetuning.json").write_text(json.dumps(manifest))
        known = origins(config, model, prepared, vectors)
        assert [(one["what"], one["same"]) for one in known] == [("encoder", same), ("language model", same)]
        lines = told(known)
        assert len(lines) == (0 if same else 2)
        assert all("微调" in Words("zh").phrase(line) for line in lines)
    (tmp_path / "finetuning.json").write_text("no JSON")
    with pytest.raises(ModelError, match=r"finetuning\.json"):
        origins(config, model, prepared, vectors)
