"""What was saved comes back the same, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from equipoise.data import vocabulary as v
from equipoise.errors import ModelError
from equipoise.models.recommender import Fitted
from equipoise.models.storage import load_model, save_model
from equipoise.testing.recommenders.subject import Subject


class Files(Subject):
    """Saved models."""

    def test_saved_and_loaded_is_the_same(self, calibrated: Fitted, tmp_path: Path) -> None:
        """For known users and for new histories, probabilities included."""
        folder = save_model(calibrated, tmp_path / "model")
        again = load_model(save_model(calibrated, folder), [type(self.recommender)])
        assert again.config == self.recommender
        users = [*calibrated.catalogue.users, "who?"]
        assert again.recommend(users, 5).equals(calibrated.recommend(users, 5))
        past = pl.DataFrame({v.ITEM: ["i004", None], v.QUERY: [None, "kettle"]})
        assert again.recommend_from(past, 5).equals(calibrated.recommend_from(past, 5))
        assert [path.name for path in tmp_path.iterdir()] == ["model"]

    @pytest.mark.parametrize("file", ["model.json", "arrays.safetensors"])
    @pytest.mark.parametrize("damage", ["missing", "short", "changed", "empty"])
    def test_damage_is_noticed(self, fitted: Fitted, tmp_path: Path, file: str, damage: str) -> None:
        """A file that is not there, cut off, or changed in one place."""
        path = save_model(fitted, tmp_path / "model") / file
        content = path.read_bytes()
        middle = len(content) // 2
        if damage == "missing":
            path.unlink()
        elif damage == "short":
            path.write_bytes(content[:middle])
        elif damage == "empty":
            path.write_bytes(b"")
        else:
            path.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
        with pytest.raises(ModelError):
            load_model(path.parent, [type(self.recommender)])

    def test_vectors_fit_the_catalogue(self, fitted: Fitted) -> None:
        """Where there are vectors of users and items, there is one for each."""
        rows = np.arange(len(fitted.catalogue.users))
        users = fitted.user_vectors(rows, fitted.histories)
        items = fitted.item_vectors()
        for vectors, ids in ((users, fitted.catalogue.users), (items, fitted.catalogue.items)):
            if vectors is not None:
                assert len(vectors) == len(ids)
                assert np.isfinite(vectors).all()
