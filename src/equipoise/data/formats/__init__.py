"""Ready formats: each knows one public data set's files and reads its folder into a `Dataset`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from equipoise.component import Component, Registry
from equipoise.data.dataset import Dataset
from equipoise.errors import DataError

__all__ = ["FORMATS", "Format", "recognise"]


class Format(Component, ABC):
    """Base of ready formats: recognises its folder and reads it."""

    @classmethod
    @abstractmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether the files of this folder are in this format."""

    @abstractmethod
    def read(self, folder: Path) -> Dataset:
        """The folder as a dataset.

        Raises:
            DataError: if a file is missing or is not what the format says.
        """


FORMATS: Registry[Format] = Registry(
    "data format",
    "equipoise.formats",
    {
        "movielens": "equipoise.data.formats.movielens:MovieLens",
        "coat": "equipoise.data.formats.coat:Coat",
        "open-bandit": "equipoise.data.formats.open_bandit:OpenBandit",
        "amazon-reviews": "equipoise.data.formats.amazon_reviews:AmazonReviews",
        "s3rec": "equipoise.data.formats.s3rec:S3Rec",
        "generic": "equipoise.data.formats.generic:Generic",
    },
)


def recognise(path: str | Path) -> str | None:
    """The name of the ready format of a folder (or of a file in one), None where there is none."""
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    names = [name for name in FORMATS.names() if name != "generic"]
    return next((name for name in [*names, "generic"] if FORMATS.find(name).recognises(folder)), None)


def only(folder: Path, pattern: str, what: str) -> Path:
    """The one file of a folder that the pattern names.

    Raises:
        DataError: if there is none, or more than one.
    """
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        there = (
            ", ".join(sorted(child.name for child in folder.iterdir())[:12])
            if folder.is_dir()
            else "no such folder"
        )
        raise DataError(
            f"{'No' if not found else 'More than one'} {what} '{pattern}'",
            where=f"{folder}: {there}",
            todo="Name the folder that holds the data set's own files.",
        )
    return found[0]
