import doctest
import importlib

import pytest

MODULES = (
    "equipoise.metrics.categories",
    "equipoise.metrics.expected_exposure",
    "equipoise.metrics.provider_formulas",
    "equipoise.metrics.transparency",
    "equipoise.audit.exposure.providers",
    "equipoise.audit.lists.similarity",
)


@pytest.mark.parametrize("name", MODULES)
def test_hand_worked_examples_in_docstrings(name):
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried > 0
    assert failed == 0
