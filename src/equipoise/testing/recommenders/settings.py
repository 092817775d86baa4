"""Configurations describe the component, and fitting leaves them alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from equipoise.component import build
from equipoise.errors import ConfigError
from equipoise.models.recommender import Fitted, Recommender
from equipoise.testing.recommenders.subject import Subject


class Settings(Subject):
    """Configurations and what fitting does to them."""

    def test_configuration_survives_json(self) -> None:
        """What `describe` says builds the same component again."""
        fields = json.loads(json.dumps(self.recommender.describe()))
        assert fields.pop("name") == self.recommender.name
        assert build(type(self.recommender), fields, where="test") == self.recommender

    def test_unknown_setting_is_refused(self) -> None:
        """A misspelt setting is an error, not ignored."""
        with pytest.raises(ConfigError, match="no_such_setting"):
            build(type(self.recommender), {**_fields(self.recommender), "no_such_setting": 1}, where="test")

    def test_every_setting_is_described(self) -> None:
        """Each field has a docstring."""
        for name, field in type(self.recommender).model_fields.items():
            assert field.description, name

    def test_fit_leaves_the_configuration_alone(self, fitted: Fitted) -> None:
        """Fitted state is another object's."""
        assert fitted.config is self.recommender
        assert isinstance(fitted, self.recommender.fitted())
        assert not isinstance(fitted, Recommender)


def _fields(component: Recommender) -> dict[str, Any]:
    return {key: value for key, value in component.describe().items() if key != "name"}
