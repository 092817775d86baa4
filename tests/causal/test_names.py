"""Every name of the causal engine imports from `equipoise.causal`, and none of them is shadowed by a room."""

import importlib
import pkgutil

import pytest

import equipoise.causal as causal


@pytest.mark.parametrize("name", causal.__all__)
def test_a_name_imports(name):
    for room in pkgutil.iter_modules(causal.__path__):
        importlib.import_module(f"equipoise.causal.{room.name}")
    assert getattr(causal, name).__module__.startswith("equipoise.causal.")


def test_an_unknown_name_is_none():
    with pytest.raises(AttributeError, match="no attribute 'effect_size'"):
        causal.effect_size  # noqa: B018
