"""Training that begins from another run's network, as a configuration asks for it."""

import pytest

from equipoise.component import Runtime
from equipoise.config import read_config
from equipoise.errors import ModelError
from equipoise.models import save_model
from equipoise.pipeline.encode import encode
from equipoise.pipeline.prepare import prepare
from equipoise.pipeline.train import train
from tests.models.test_sequence_transfer import ALONE, shop, source

pytest.importorskip("torch")

QUIET = Runtime(threads=1, progress=False)


def test_a_configuration_begins_from_another_run(tmp_path):
    save_model(source(), tmp_path / "first" / "model" / "baseline")
    data, vectors = shop(2, 40, 60)
    data.events.write_parquet(tmp_path / "events.parquet")
    data.items.write_parquet(tmp_path / "items.parquet")
    vectors.frame().write_parquet(tmp_path / "vectors.parquet")
    file = tmp_path / "equipoise.toml"
    begin = {**ALONE, "epochs": 0, "start": "first"}
    fields = "\n".join(f"{key} = {value!r}" for key, value in begin.items())
    file.write_text(
        '[data]\nevents = "events.parquet"\nitems = "items.parquet"\n[split]\nstrategy = "leave_last"\n'
        f'[encoder]\nname = "vectors:vectors.parquet"\n[model]\nname = "sequence"\n{fields}\n'
    )
    config = read_config(file)
    prepared, _ = prepare(config, QUIET)
    read = encode(config, prepared.train, QUIET)
    model, _ = train(config, prepared, read, [], QUIET)
    users = model.catalogue.users
    expected = source().transferred(prepared.train, read).recommend(users, 5, runtime=QUIET)
    assert model.recommend(users, 5, runtime=QUIET).drop("probability").equals(expected.drop("probability"))
    with pytest.raises(ModelError, match="no saved model"):
        train(read_config(file, ["model.start=nowhere"]), prepared, read, [], QUIET)


def test_the_start_lies_beside_the_configuration(tmp_path, monkeypatch):
    """A path in a file is relative to the file; one on the command line, to where the person stands."""
    file, elsewhere = tmp_path / "equipoise.toml", tmp_path / "elsewhere"
    elsewhere.mkdir()
    file.write_text(
        '[data]\nworld = { name = "storefront" }\n[model]\nname = "sequence"\nstart = "runs/old"\n'
    )
    monkeypatch.chdir(elsewhere)
    assert read_config(file).model.fields["start"] == str(tmp_path / "runs" / "old")
    told = read_config(file, ["model.start=runs/new"])
    assert told.model.fields["start"] == str(elsewhere / "runs" / "new")
