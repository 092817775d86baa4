"""Small tables to audit, and a small stand-in for the statistics: the journey is what is tested with it."""

import json

import polars as pl

from equipoise.metrics import ndcg

USERS = 40


def write_tables(folder):
    """recs.csv, truth.csv (with ratings), users.csv, items.csv, train.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    users = range(1, USERS + 1)
    tables = {
        "recs": [(user, 100 + (user * 3 + rank) % 12, rank) for user in users for rank in range(1, 6)],
        "truth": [(user, 100 + (user * 3 + step) % 12, 1.0 + step) for user in users for step in (2, 4)],
        "users": [(user, "F" if user % 3 == 0 else "M", user % 50) for user in users],
        "items": [(item, "north" if item % 2 else "south") for item in range(100, 112)],
        "train": [(user, 100 + (user * 5) % 12) for user in users],
    }
    columns = {
        "recs": ["user_id", "item_id", "rank"],
        "truth": ["user_id", "item_id", "rating"],
        "users": ["user_id", "gender", "age"],
        "items": ["item_id", "provider"],
        "train": ["user_id", "item_id"],
    }
    for name, rows in tables.items():
        pl.DataFrame(rows, schema=columns[name], orient="row").write_csv(folder / f"{name}.csv")
    return folder


def assemble(tables, settings):
    """Evidence of one metric and one attribute, without any statistics."""
    cutoff = settings.k[0]
    attribute = settings.groups[0]
    groups, gaps, overall = [], [], []
    for system in tables.systems:
        lists = tables.recommendations.filter(pl.col("system") == system)
        values = ndcg(cutoff)(lists, tables.truth)
        start = f"{system}/ndcg@{cutoff}"
        overall.append(
            {"id": f"overall/{start}", "system": system, "metric": f"ndcg@{cutoff}", "value": values["value"].mean(),
             "low": None, "high": None, "users": len(values), "excluded": 0}
        )  # fmt: skip
        means = dict(
            values.join(tables.users, on="user_id")
            .group_by(attribute)
            .agg(pl.col("value").mean())
            .sort(attribute)
            .iter_rows()
        )
        for group, value in means.items():
            groups.append(
                {"id": f"group/{system}/{attribute}/{group}", "system": system, "attribute": attribute,
                 "group": str(group), "metric": f"ndcg@{cutoff}", "value": value, "low": None, "high": None,
                 "users": 10, "suppressed": False, "excluded": 0}
            )  # fmt: skip
        gaps.append(
            {"id": f"gap/{system}/{attribute}/ndcg@{cutoff}/difference", "system": system, "attribute": attribute,
             "metric": f"ndcg@{cutoff}", "kind": "difference", "primary": True,
             "gap": max(means.values()) - min(means.values()), "low": -0.1, "high": 0.2, "p_value": 0.4,
             "p_adjusted": 0.4, "minimum_detectable": 0.3, "verdict": "insufficient evidence", "groups": "M - F",
             "users": 13, "tolerance": None, "null_mean": None, "null_high": None, "excess": None}
        )  # fmt: skip
    return {
        "schema": "equipoise.audit/1",
        "name": settings.name,
        "created": "2026-01-01T00:00:00+00:00",
        "command": settings.command,
        "lang": settings.lang,
        "seed": settings.seed,
        "versions": {},
        "settings": {
            "k": list(settings.k), "groups": list(settings.groups), "level": settings.level,
            "min_cell": settings.min_cell, "metrics": list(settings.metric_names), "protocol": settings.protocol,
        },
        "data": tables.sources,
        "systems": [{"name": system, "role": "audited", "missing": None} for system in tables.systems],
        "definitions": {"ndcg": {"name": "ndcg", "title": "NDCG", "formula": "DCG / ideal", "unit": "share"}},
        "notes": [*tables.notes, {"code": "users_missing", "values": {"users": 3}}],
        "overall": overall,
        "groups": groups,
        "gaps": gaps,
        "transparency": {"measured": False, "rows": []},
        "not_testable": [{"code": "no_tolerance", "values": {}}],
    }  # fmt: skip


def page(evidence, lang):
    """A page that is made from the evidence alone."""
    return f"<html lang={lang}>{json.dumps(evidence['overall'])}</html>"
