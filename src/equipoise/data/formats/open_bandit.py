"""Open Bandit: logged fashion recommendations with true propensities (Saito et al., NeurIPS 2021)."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from equipoise.data import vocabulary as v
from equipoise.data.dataset import Dataset
from equipoise.data.formats import Format
from equipoise.data.mapping import assemble, to_time
from equipoise.data.sources import read_table
from equipoise.errors import DataError

_USER_FEATURES = [f"user_feature_{i}" for i in range(4)]


class OpenBandit(Format):
    """One log (`bts/men`), or a folder above several (`bts`, or the whole release).

    Each shown item is an `impression` with `position`, `propensity`, `reward` (1 when clicked) and `policy`;
    each click is a `click` besides, with the same but for `reward`, so that no reward counts twice. What is
    estimated off policy reads the impressions alone. The log knows no users: `user_id` names the combination
    of the four hashed features (their first 8 digits). Where logs of several campaigns are read, item ids are
    `men/0`.
    """

    name = "open-bandit"

    @classmethod
    def recognises(cls, folder: Path) -> bool:
        """Whether a log with its item contexts is there."""
        return bool(_logs(folder))

    def read(self, folder: Path) -> Dataset:
        """All logs of the folder."""
        logs = _logs(folder)
        if not logs:
            raise DataError(
                "There is no log of Open Bandit",
                where=str(folder),
                todo="Name a folder with <policy>/<campaign>/<campaign>.csv and item_context.csv.",
            )
        several = len({log.stem for log in logs}) > 1
        events = pl.concat([_log(path, several) for path in logs], how="diagonal_relaxed")
        contexts = {path.stem: path.parent / "item_context.csv" for path in logs}
        items = pl.concat(
            [_items(path, campaign, several) for campaign, path in contexts.items()], how="diagonal"
        )
        users = events.select(v.USER, *_USER_FEATURES).unique(v.USER).sort(v.USER)
        clicks = events.filter(pl.col(v.REWARD) == 1).with_columns(
            pl.lit(v.CLICK).alias(v.EVENT), pl.lit(None, pl.Float64).alias(v.REWARD)
        )
        both = pl.concat([events, clicks], how="diagonal_relaxed").drop(_USER_FEATURES)
        return assemble(both.sort(v.TIMESTAMP, maintain_order=True), users, items)


def _logs(folder: Path) -> list[Path]:
    contexts = sorted(folder.rglob("item_context.csv"))
    return [path for c in contexts for path in [c.parent / f"{c.parent.name}.csv"] if path.exists()]


def _log(path: Path, several: bool) -> pl.DataFrame:
    table = read_table(path)
    table = table.drop(table.columns[0]) if table.columns[0] in ("", "column_1", "Unnamed: 0") else table
    renamed = table.rename({"propensity_score": v.PROPENSITY, "click": v.REWARD}, strict=False)
    missing = {v.TIMESTAMP, v.ITEM, v.POSITION, v.PROPENSITY, v.REWARD, *_USER_FEATURES} - set(
        renamed.columns
    )
    if missing:
        raise DataError("Columns of Open Bandit are missing", where=f"{path}: {', '.join(sorted(missing))}")
    return renamed.select(
        pl.concat_str((pl.col(f).str.slice(0, 8) for f in _USER_FEATURES), separator="-").alias(v.USER),
        _item_ids(path.stem, several),
        to_time(renamed[v.TIMESTAMP], str(path)),
        pl.lit(v.IMPRESSION).alias(v.EVENT),
        pl.col(v.POSITION).cast(pl.Int64),
        pl.col(v.PROPENSITY).cast(pl.Float64),
        pl.col(v.REWARD).cast(pl.Float64),
        pl.lit(path.parent.parent.name).alias(v.POLICY),
        *_USER_FEATURES,
        pl.col("^user-item_affinity_.*$"),
    )


def _items(path: Path, campaign: str, several: bool) -> pl.DataFrame:
    table = read_table(path)
    return table.select(_item_ids(campaign, several), pl.col("^item_feature_.*$"))


def _item_ids(campaign: str, several: bool) -> pl.Expr:
    return pl.concat_str(pl.lit(f"{campaign}/"), v.ITEM).alias(v.ITEM) if several else pl.col(v.ITEM)
