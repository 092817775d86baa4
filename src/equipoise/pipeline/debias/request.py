"""What may be asked of a comparison of corrections, beside the configuration of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from equipoise.component import config_error


class DebiasRequest(BaseModel):
    """Which corrections are compared, and how often each is trained."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    methods: Literal["all"] | tuple[str, ...] = "all"
    """Names of corrections, or "all" for every one that can act on this data and model."""
    seeds: int = Field(5, ge=1)
    """How often each is trained; the split stays, the training's random numbers differ."""
    twin: bool = False
    """Whether all is done once more on a generated world like this log, whose truth is known."""
    processes: int = Field(1, ge=1, le=2)
    """How many processes train; with two, the second begins with the last training of the last correction."""
    lang: Literal["en", "zh"] | None = None
    """Language of the page; the configuration's by default."""
    command: str | None = None
    """The command that asked, for the page."""

    @classmethod
    def of(cls, fields: Mapping[str, Any]) -> Self:
        """A request from plain values.

        Raises:
            ConfigError: if a field does not exist or is not usable.
        """
        try:
            return cls.model_validate(dict(fields))
        except ValidationError as error:
            raise config_error(error, cls, "the comparison") from None
