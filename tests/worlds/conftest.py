from __future__ import annotations

import pytest

from equipoise.worlds import Storefront, World


@pytest.fixture(scope="session")
def world() -> World:
    return Storefront(n_users=600, n_items=60, days=30, slate_length=5, seed=3).generate()
