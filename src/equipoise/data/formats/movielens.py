"""MovieLens in all its layouts (Harper and Konstan, "The MovieLens Datasets", ACM TiiS 2015)."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.formats import Format, only
from equipoise.data.mapping import assemble, map_events, map_table
from equipoise.data.sources import read_separated, read_table, typed

AGES = {1: "under 18", 18: "18-24", 25: "25-34", 35: "35-44", 45: "45-49", 50: "50-55", 56: "56+"}
"""Age bands of ML-1M by their codes, which are the lowest ages but for the first."""

_GENRES = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children's",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
_FILM = re.compile(r"title.*(genres|class)")
_EVENTS = ["userId", "movieId", "rating", "timestamp"]
_COLUMNS = {v.USER: "userId", v.ITEM: "movieId", v.VALUE: "rating"}


class MovieLens(Format):
    """ML-100K (`u.data`), ML-1M (`ratings.dat`), the CSV releases, the typed atomic files and Parquet
    interactions.

    Sensitive are gender and age: where ages are numbers, `age_band` holds ML-1M's seven bands. Text is title
    and genres;
    in the CSV releases `tags` of an item stand beside them, unused by default because some were written after
    the events
    that a split holds out.
    """

    name = "movielens"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether the files of one of the layouts are there."""
        return _layout(folder) is not None

    def read(self, folder: Path) -> Dataset:
        """The folder as ratings; ML-1M as Parquet has an order and no values."""
        events, users, items = (_LAYOUTS[_layout(folder) or "u.data"])(folder)
        users = users if users is None else _banded(users)
        sensitive = [] if users is None else ["gender", "age_band" if "age_band" in users.columns else "age"]
        mapped = map_events(events.with_columns(pl.lit(v.RATING).alias(v.EVENT)), where=str(folder))
        return assemble(mapped, users, items, sensitive=sensitive, text=("title", "genres"))


_Tables = tuple[pl.DataFrame, pl.DataFrame | None, pl.DataFrame]


def _layout(folder: Path) -> str | None:
    """The layout whose files are there and, where other data sets use the same names, hold films."""
    if (folder / "u.data").exists() and (folder / "u.item").exists():
        return "u.data"
    if (folder / "ratings.dat").exists() and (folder / "movies.dat").exists():
        return "ratings.dat"
    for events, items in (
        ("*.inter", "*.item"),
        ("interactions.parquet", "items.csv"),
        ("ratings.csv", "movies.csv"),
    ):
        films = next(iter(folder.glob(items)), None)
        if films is not None and any(folder.glob(events)) and _FILM.search(_first_line(films)):
            return events
    return None


def _first_line(path: Path) -> str:
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline()


def _hundred_thousand(folder: Path) -> _Tables:
    events = read_separated(only(folder, "u.data", "file"), header=False, quote=None, columns=_EVENTS)
    users = read_separated(
        only(folder, "u.user", "file"),
        separator="|",
        header=False,
        quote=None,
        columns=[v.USER, "age", "gender", "occupation", "zip_code"],
    )
    films = read_separated(
        only(folder, "u.item", "file"),
        separator="|",
        header=False,
        quote=None,
        encoding="latin-1",
        columns=[v.ITEM, "title", "release_date", "video_release_date", "imdb_url", *_GENRES],
    )
    genres = pl.concat_str(
        [pl.when(pl.col(genre) == "1").then(pl.lit(genre)) for genre in _GENRES],
        separator="|",
        ignore_nulls=True,
    )
    items = films.with_columns(genres.alias("genres")).drop(*_GENRES, "video_release_date")
    return _renamed(typed(events)), typed(users), typed(items)


def _million(folder: Path) -> _Tables:
    events = _double_colon(only(folder, "ratings.dat", "file"), _EVENTS)
    users = _double_colon(
        only(folder, "users.dat", "file"), [v.USER, "gender", "age", "occupation", "zip_code"]
    )
    items = _double_colon(only(folder, "movies.dat", "file"), [v.ITEM, "title", "genres"])
    return (
        _renamed(typed(events)),
        typed(users).with_columns(pl.col("age").replace_strict(AGES)),
        typed(items),
    )


def _atomic(folder: Path) -> _Tables:
    def atomic(suffix: str) -> pl.DataFrame:
        table = read_separated(only(folder, f"*.{suffix}", "atomic file"), quote=None)
        return table.rename(lambda name: name.partition(":")[0])

    events = typed(atomic("inter")).rename({"rating": v.VALUE})
    users = atomic("user")
    items = atomic("item").rename({"movie_title": "title", "class": "genres"}, strict=False)
    genres = pl.col("genres").str.replace_all(" ", "|")
    keep = (
        items["release_year"] if "release_year" in items.columns else None
    )  # two years are no numbers: text
    items = typed(items).with_columns(genres) if keep is None else typed(items).with_columns(genres, keep)
    return events, typed(users), items


def _parquet(folder: Path) -> _Tables:
    users = read_table(folder / "users.csv") if (folder / "users.csv").exists() else None
    return read_table(folder / "interactions.parquet"), users, read_table(folder / "items.csv")


def _comma(folder: Path) -> _Tables:
    items = map_table(read_table(only(folder, "movies.csv", "file")), v.ITEM, _COLUMNS, "movies.csv")
    if (folder / "tags.csv").exists():
        tags = read_table(folder / "tags.csv").select(
            pl.col("movieId").alias(v.ITEM), pl.col("tag").cast(pl.String)
        )
        joined = (
            tags.unique()
            .sort(v.ITEM, "tag")
            .group_by(v.ITEM, maintain_order=True)
            .agg(pl.col("tag").str.join(", ").alias("tags"))
        )
        items = items.join(joined, on=v.ITEM, how="left", maintain_order="left")
    return _renamed(read_table(folder / "ratings.csv")), None, items


_LAYOUTS = {
    "u.data": _hundred_thousand,
    "ratings.dat": _million,
    "*.inter": _atomic,
    "interactions.parquet": _parquet,
    "ratings.csv": _comma,
}


def _renamed(events: pl.DataFrame) -> pl.DataFrame:
    return events.rename({column: name for name, column in _COLUMNS.items()})


def _double_colon(path: Path, columns: list[str]) -> pl.DataFrame:
    # splitlines() would also break at bytes that Latin-1 takes for line ends
    lines = pl.Series("line", path.read_text("latin-1").split("\n")).str.strip_chars_end("\r")
    fields = lines.filter(lines != "").str.split_exact("::", len(columns) - 1).struct.unnest()
    return fields.rename(dict(zip(fields.columns, columns, strict=True)))


def _banded(users: pl.DataFrame) -> pl.DataFrame:
    if not users.schema["age"].is_numeric():
        return users
    band: pl.Expr = pl.when(pl.col("age").is_not_null()).then(pl.lit(AGES[1]))
    for lowest, name in AGES.items():
        band = pl.when(pl.col("age") >= lowest).then(pl.lit(name)).otherwise(band)
    return users.with_columns(band.alias("age_band"))
