"""A comparison small enough for tests: a tiny world, EASE, one attacker."""

import pytest

from equipoise.audit.attackers import suite

CONFIG = {
    "name": "tiny",
    "data": {"world": {"name": "storefront", "n_users": 150, "n_items": 40, "days": 12}},
    "model": {"name": "ease", "reg": 20.0},
    "audit": {"k": [5], "n_bootstrap": 200},
}


@pytest.fixture
def one_attacker(monkeypatch):
    """Only the fastest of the attackers, so that tests are quick."""
    monkeypatch.setattr(suite, "ATTACKERS", {"logistic": suite.ATTACKERS["logistic"]})


def config(**sections):
    """The configuration with sections changed; those of a mapping are merged."""
    return CONFIG | {
        name: CONFIG[name] | value if isinstance(value, dict) and name in CONFIG else value
        for name, value in sections.items()
    }
