import polars as pl
import pytest

from equipoise.config import read_config
from equipoise.errors import ConfigError
from equipoise.pipeline.tune import tune

pytest.importorskip("optuna", reason="Optuna is not installed")
SMALL = {
    "name": "search",
    "data": {"world": {"name": "storefront", "n_users": 200, "n_items": 50, "days": 10}},
    "model": {"name": "ease"},
    "tune": {"trials": 3, "folds": 2, "space": {"reg": {"low": 1.0, "high": 1000.0, "log": True}}},
}


def test_a_search_writes_a_configuration_and_goes_on(tmp_path):
    first = tune(SMALL, out=tmp_path)
    assert first.trials == 3
    assert 1.0 <= first.settings["reg"] <= 1000.0
    assert read_config(first.config).model.fields["reg"] == first.settings["reg"]
    longer = tune(SMALL, out=tmp_path, trials=5)
    assert longer.trials == 5, "the first three are not done again"
    assert longer.value >= first.value


def test_test_events_are_never_looked_at(tmp_path, monkeypatch):
    """Whatever stands in the test part, the search finds the same."""
    from equipoise.pipeline import tune as module

    expected = tune(SMALL, out=tmp_path / "a")
    prepare = module.prepare

    def spoiled(*arguments):
        prepared, data = prepare(*arguments)
        nonsense = prepared.test.events.with_columns(item_id=pl.lit(1, dtype=pl.Int64))
        return type(prepared)(
            prepared.train,
            prepared.valid,
            prepared.test.with_events(nonsense),
            prepared.protocol,
            prepared.world,
        ), data

    monkeypatch.setattr(module, "prepare", spoiled)
    assert tune(SMALL, out=tmp_path / "b").value == expected.value


@pytest.mark.parametrize("space", [None, {"trials": 2}])
def test_nothing_to_search(tmp_path, space):
    with pytest.raises(ConfigError, match="nothing to search"):
        tune(SMALL | {"tune": space}, out=tmp_path)


def test_a_field_that_the_model_does_not_have(tmp_path):
    with pytest.raises(ConfigError, match="regg"):
        tune(SMALL | {"tune": {"trials": 1, "space": {"regg": {"low": 1.0, "high": 2.0}}}}, out=tmp_path)
