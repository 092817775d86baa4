"""Evidence of an audit as the pages read it: a full one with hostile names, and one with nearly nothing."""

import math

NASTY = "</script><script>alert(1)</script>"
PERCENT = "%{text} <a href='javascript:alert(2)'>x</a>"
AUDITED = ["baseline", "corrected", NASTY]
SYSTEMS = [*AUDITED, "TopPop", "Random"]
METRICS = ["ndcg@10", "recall@10", "hit_rate@10", "diversity@10"]
GROUPS = {
    "gender": {"M": 651, "F": 258, "unknown": 34},
    "年龄": {"18-24": 240, "25-34": 401, "35岁以上": 268},
    "gender x 年龄": {
        "M x 18-24": 160,
        "M x 25-34": 301,
        "M x 35岁以上": 190,
        "F x 18-24": 80,
        "F x 25-34": 100,
        "F x 35岁以上": 21,
    },
}
LEVELS = {"ndcg": 0.097, "recall": 0.121, "hit_rate": 0.43, "diversity": 0.62}
STRENGTH = {"baseline": 1.0, "corrected": 1.04, NASTY: 0.93, "TopPop": 0.71, "Random": 0.12}
LEAN = {"baseline": 0.16, "corrected": 0.015, NASTY: 0.09, "TopPop": 0.12, "Random": 0.0}
TOLERANCE = {"ndcg@10": 0.008, "recall@10": 0.02, "diversity@10": 0.05}


def mean(system, metric, place=0.0):
    """Value of a metric, for a group at a place between -1 and 1."""
    return LEVELS[metric.partition("@")[0]] * STRENGTH[system] * (1 + LEAN[system] * place)


def half(metric, users):
    return 1.1 * LEVELS[metric.partition("@")[0]] / math.sqrt(users)


def interval(value, wide):
    return {"value": value, "low": value - wide, "high": value + wide}


def small(users):
    return users < 30


def group_rows():
    rows = []
    for system in SYSTEMS:
        for attribute, sizes in GROUPS.items():
            for i, (group, users) in enumerate(sizes.items()):
                for metric in METRICS:
                    value = mean(system, metric, 1 - 2 * i / (len(sizes) - 1))
                    cell = interval(value, half(metric, users))
                    if small(users):
                        cell = {"value": None, "low": None, "high": None}
                    rows.append(
                        {
                            "id": f"group/{system}/{attribute}/{group}/{metric}",
                            "system": system,
                            "attribute": attribute,
                            "group": group,
                            "metric": metric,
                            **cell,
                            "users": None if small(users) else users,
                            "suppressed": small(users),
                            "excluded": 3 + i,
                        }
                    )
    return rows


def verdict(system, attribute, metric, low, high):
    tolerance = TOLERANCE.get(metric)
    if system not in AUDITED:
        return None
    if attribute == "gender x 年龄":
        return "insufficient evidence"
    if low > (tolerance or 0) or high < -(tolerance or 0):
        return "unfair"
    if tolerance and -tolerance < low and high < tolerance:
        return "fair within tolerance"
    return "insufficient evidence"


def gap_rows():
    rows = []
    for system in SYSTEMS:
        for attribute, sizes in GROUPS.items():
            known = {
                group: users for group, users in sizes.items() if group != "unknown" and not small(users)
            }
            for metric in METRICS:
                gap = 2 * LEAN[system] * mean(system, metric) * (1.1 if attribute == "gender" else 0.9)
                wide = 0.45 * half(metric, min(known.values()))
                several = len(known) > 2
                null = 0.6 * wide if several else None
                names = list(known)
                common = {
                    "system": system,
                    "attribute": attribute,
                    "metric": metric,
                    "users": min(known.values()),
                    "groups": f"{names[0]} - {names[-1]}",
                }
                rows.append(
                    {
                        "id": f"gap/{system}/{attribute}/{metric}/difference",
                        **common,
                        "kind": "difference",
                        "primary": True,
                        "gap": gap,
                        "low": gap - wide,
                        "high": gap + wide,
                        "p_value": 0.012,
                        "p_adjusted": 0.048,
                        "minimum_detectable": 1.4 * wide,
                        "verdict": verdict(system, attribute, metric, gap - wide, gap + wide),
                        "tolerance": TOLERANCE.get(metric),
                        "null_mean": null,
                        "null_high": null and 1.5 * wide,
                        "excess": null and gap - null,
                    }
                )
                for kind, value in (
                    ("ratio", 1 - gap),
                    ("disparity", 0.11),
                    ("worst group", mean(system, metric, -1)),
                    ("between-group variance", 0.0004),
                    ("kolmogorov-smirnov", 0.07),
                    ("wasserstein", 0.02),
                    ("raw difference", gap * 1.2),
                ):
                    rows.append(
                        {
                            "id": f"gap/{system}/{attribute}/{metric}/{kind}",
                            **common,
                            "kind": kind,
                            "primary": False,
                            "gap": value,
                            "low": value * 0.8,
                            "high": value * 1.2,
                            "p_value": 0.02,
                            "p_adjusted": None,
                            "minimum_detectable": None,
                            "verdict": None,
                            "tolerance": None,
                            "null_mean": None,
                            "null_high": None,
                            "excess": None,
                        }
                    )
    return rows


def slice_rows():
    rows = []
    for system in AUDITED:
        for attribute, sizes in GROUPS.items():
            for i, (group, users) in enumerate(sizes.items()):
                if group == "unknown" or small(users):
                    continue
                for metric in METRICS:
                    value, rest = mean(system, metric, 1 - 2 * i / len(sizes)), mean(system, metric)
                    wide = half(metric, users)
                    q = min(1.0, 0.002 * (1 + i) * math.exp(6 * LEVELS[metric.partition("@")[0]]))
                    rows.append(
                        {
                            "id": f"slice/{system}/{attribute}/{group}/{metric}",
                            "system": system,
                            "attribute": attribute,
                            "group": group,
                            "metric": metric,
                            "value": value,
                            "rest": rest,
                            "difference": value - rest,
                            "low": value - rest - wide,
                            "high": value - rest + wide,
                            "p_value": q / 3,
                            "q_value": q,
                            "users": users,
                        }
                    )
    return rows


def exposure_rows():
    shares = {"long tail": 0.6, "middle": 0.28, NASTY: 0.12}
    return [
        {
            "id": f"exposure/{system}/genre/{group}",
            "system": system,
            "attribute": "genre",
            "group": group,
            "share": share * (0.5 + 0.4 * i),
            "target": share,
            "target_name": "catalogue",
            "exposure": 0.002 * (0.5 + 0.4 * i),
            "low": share * (0.45 + 0.4 * i),
            "high": share * (0.55 + 0.4 * i),
            "items": int(1000 * share),
        }
        for system in SYSTEMS
        for i, (group, share) in enumerate(shares.items())
    ]


def attacker_rows():
    rows = []
    for system in AUDITED:
        for attribute in ("gender", "年龄"):
            for j, view in enumerate(("lists", "scores", "profile")):
                for i, attacker in enumerate(("logistic", "gradient boosting", "mlp", "nearest neighbours")):
                    value = 0.56 + 0.05 * j + 0.04 * (i == 1) - 0.02 * (system == "corrected")
                    rows.append(attack(system, attribute, view, attacker, value, False, i == 1))
                rows.append(attack(system, attribute, view, "majority", 0.5, True, False))
                rows.append(attack(system, attribute, view, "permuted labels", 0.503, True, False))
    return rows


def attack(system, attribute, view, attacker, value, control, strongest):
    return {
        "id": f"attacker/{system}/{attribute}/{view}/{attacker}",
        "system": system,
        "attribute": attribute,
        "view": view,
        "attacker": attacker,
        "metric": "auc",
        **interval(value, 0.03),
        "users": 909,
        "control": control,
        "strongest": strongest,
    }


def definition(name, title, unit="share of the ideal", better="high"):
    return {
        "name": name,
        "title": title,
        "formula": f"{name}(u) = Σ_{{r≤k}} hit(r)/log2(r+1) & more",
        "low": 0,
        "high": 1,
        "fair": "equal over groups",
        "unit": unit,
        "better": better,
        "level": "user",
        "source": "a textbook",
        "guard": "users without truth are excluded and counted",
        "note": "Binary relevance: the values in the truth are not used.",
    }


def evidence(**changes):
    """A full evidence; sections given replace its own."""
    share = [i / 20 for i in range(21)]
    full = {
        "schema": "equipoise.audit/1",
        "name": "films & more",
        "created": "2026-03-01T09:30:00+00:00",
        "lang": "en",
        "command": "equipoise audit --recommendations recs.parquet --truth test.parquet --users users.csv",
        "seed": 7,
        "versions": {"python": "3.11.9", "equipoise": "0.1.0", "numpy": "2.4.0"},
        "settings": {
            "k": [10],
            "groups": ["gender", "年龄"],
            "intersections": 2,
            "controls": ["profile size"],
            "level": 0.95,
            "n_bootstrap": 1000,
            "n_permutations": 1000,
            "min_cell": 30,
            "metrics": METRICS,
            "protocol": {"candidates": "all 1682 items", "seen_items": "filtered", "relevant": "value >= 4"},
        },
        "policy": {
            "owner": f"Dr. Li 李 {NASTY}",
            "rules": [
                {
                    "metric": metric,
                    "attribute": "*",
                    "tolerance": tolerance,
                    "kind": "difference",
                    "owner": "Dr. Li 李",
                    "reason": "harm seen below this is small & reversible",
                }
                for metric, tolerance in TOLERANCE.items()
            ],
        },
        "data": [
            {
                "table": f"recommendations:{system}",
                "path": f"data/{i}.parquet",
                "sha256": f"{i}af9" * 16,
                "rows": 9090,
                "users": 909,
                "items": 600,
            }
            for i, system in enumerate(AUDITED)
        ]
        + [{"table": "users", "path": None, "sha256": "77ab" * 16, "rows": 943, "users": 943, "items": None}],
        "notes": [
            {"code": "users_missing", "values": {"users": 12}},
            {
                "code": "small_groups",
                "values": {"attribute": "gender x 年龄", "groups": "F x 35岁以上", "min_cell": 30},
            },
            {"code": "invented_rule", "values": {"rows": 3, "where": NASTY}},
        ],
        "systems": [{"name": name, "role": "audited", "missing": None} for name in AUDITED]
        + [
            {"name": "TopPop", "role": "reference", "missing": None},
            {"name": "Random", "role": "reference", "missing": None},
        ],
        "definitions": {
            "ndcg": definition("ndcg", "NDCG"),
            "recall": definition("recall", "Recall", "share of the truth"),
            "hit_rate": definition("hit_rate", "Hit rate", "share of users"),
            "diversity": definition("diversity", "Intra-list diversity", "distance"),
        },
        "overall": [
            {
                "id": f"overall/{system}/{metric}",
                "system": system,
                "metric": metric,
                **interval(mean(system, metric), half(metric, 909)),
                "users": 909,
                "excluded": 34,
            }
            for system in SYSTEMS
            for metric in METRICS
        ],
        "concentration": [
            {
                "id": f"concentration/{system}/{metric}",
                "system": system,
                "metric": metric,
                "value": base * (1.3 - STRENGTH[system] / 4),
            }
            for system in SYSTEMS
            for metric, base in (("coverage@10", 0.3), ("gini@10", 0.8), ("entropy@10", 7))
        ],
        "groups": group_rows(),
        "gaps": gap_rows(),
        "slices": slice_rows(),
        "comparisons": [
            {
                "id": f"comparison/baseline/{second}/{metric}",
                "first": "baseline",
                "second": second,
                "metric": metric,
                "difference": 0.004,
                "low": -0.001,
                "high": 0.009,
                "p_value": 0.08,
                "p_adjusted": 0.24,
                "users": 909,
            }
            for second in AUDITED[1:]
            for metric in METRICS
        ],
        "gap_comparisons": [
            {
                "id": f"gap_comparison/baseline/corrected/{attribute}/ndcg@10",
                "first": "baseline",
                "second": "corrected",
                "attribute": attribute,
                "metric": "ndcg@10",
                "difference": -0.021,
                "low": -0.04,
                "high": -0.002,
                "p_value": 0.03,
                "p_adjusted": 0.06,
            }
            for attribute in GROUPS
        ],
        "lists": [
            {
                "id": f"list/{system}/gender/{group}/{metric}",
                "system": system,
                "attribute": "gender",
                "group": group,
                "metric": metric,
                **interval(value, 0.03),
                "users": GROUPS["gender"][group],
            }
            for system in AUDITED
            for group in ("M", "F")
            for metric, value in (
                ("list_distance@10", 0.81),
                ("neighbour_overlap_difference@10", 0.64),
                ("calibration_kl@10", 0.41),
            )
        ],
        "transparency": {"measured": False, "rows": []},
        "exposure": exposure_rows(),
        "provider": [
            {
                "id": f"provider/{system}/genre/{metric}",
                "system": system,
                "attribute": "genre",
                "metric": metric,
                **interval(value, 0.02),
                "users": 909,
            }
            for system in SYSTEMS
            for metric, value in (("awrf@10", 0.21), ("provider_gini@10", 0.66))
        ],
        "lorenz": {
            system: {"items": share, "exposure": [x ** (1.4 + i) for x in share]}
            for i, system in enumerate(SYSTEMS)
        },
        "attackers": attacker_rows(),
        "collapse": [
            {"system": NASTY, "shared": 0.83, "popularity_overlap": 0.91, "named": True},
            {"system": "baseline", "shared": 0.04, "popularity_overlap": 0.2, "named": False},
        ],
        "not_testable": [
            {"code": "no_tolerance", "values": {"metric": "hit_rate@10", "attribute": "gender"}},
            {"code": "small_group", "values": {"attribute": "gender x 年龄", "group": "F x 35岁以上"}},
            {
                "code": "underpowered",
                "values": {
                    "attribute": "gender",
                    "metric": "ndcg@10",
                    "minimum_detectable": 0.03,
                    "tolerance": 0.008,
                },
            },
            {"code": "invented_gap", "values": {"system": NASTY}},
        ],
        "questions": [
            {
                "law": "DSA",
                "article": "27",
                "question": "main_parameters",
                "evidence": ["settings"],
                "answered": False,
            },
            {
                "law": "DSA",
                "article": "34",
                "question": "systemic_risk",
                "evidence": ["gaps", "slices"],
                "answered": True,
            },
            {
                "law": "AI Act",
                "article": "10",
                "question": "data_governance",
                "evidence": ["gaps", "data"],
                "answered": True,
            },
            {
                "law": "AI Act",
                "article": "99",
                "question": "invented_question",
                "evidence": ["invented"],
                "answered": False,
            },
        ],
        "signature": None,
    }
    return {**full, **changes}


def ratios():
    """Evidence whose audited gaps are judged by their ratio."""
    gaps = [
        {**row, "primary": row["kind"] == "ratio", "tolerance": 0.2, "verdict": "fair within tolerance"}
        if row["system"] in AUDITED and row["kind"] == "ratio"
        else {**row, "primary": row["system"] not in AUDITED and row["primary"], "verdict": None}
        for row in gap_rows()
    ]
    return evidence(gaps=gaps)


def masked():
    """Evidence as it is published: what a hidden group is part of has no numbers."""
    hidden = {("gender x 年龄", "F x 35岁以上"), ("gender x 年龄", "F x 25-34")}
    nothing = dict.fromkeys(("value", "low", "high", "users", "excluded"))
    numbers = ("gap", "low", "high", "p_value", "p_adjusted", "minimum_detectable", "users", "null_mean",
               "null_high", "excess")  # fmt: skip
    attributes = {attribute for attribute, _ in hidden}
    full = evidence()

    def cells(rows):
        return [
            {**row, **{key: None for key in nothing if key in row}}
            if (row["attribute"], row["group"]) in hidden
            else row
            for row in rows
        ]

    groups = [
        {**row, "suppressed": row["suppressed"] or (row["attribute"], row["group"]) in hidden}
        for row in cells(full["groups"])
    ]
    group = "F x 25-34"
    lists = [
        {**row, "attribute": "gender x 年龄", "group": group, "id": row["id"].replace("/F/", f"/{group}/")}
        for row in full["lists"]
        if row["group"] == "F"
    ]
    return {
        **full,
        "groups": groups,
        "lists": cells([*full["lists"], *lists]),
        "slices": [row for row in full["slices"] if (row["attribute"], row["group"]) not in hidden],
        "gaps": [
            {**row, **dict.fromkeys(numbers)} if row["attribute"] in attributes else row
            for row in full["gaps"]
        ],
        "gap_comparisons": [
            {**row, **dict.fromkeys(("difference", "low", "high", "p_value", "p_adjusted"))}
            if row["attribute"] in attributes
            else row
            for row in full["gap_comparisons"]
        ],
    }


def bare():
    """Evidence with nearly everything missing."""
    return {"schema": "equipoise.audit/1", "name": "bare", "created": "2026-03-01T09:30:00+00:00"}


def wide():
    """Evidence of three systems, four attributes and eight metrics."""
    attributes = ["gender", "age", "region", "income"]
    metrics = [f"{name}@{k}" for name in ("ndcg", "recall", "hit_rate", "diversity") for k in (10, 20)]
    gaps = [
        {
            **row,
            "id": f"gap/{row['system']}/{attribute}/{metric}/{row['kind']}",
            "attribute": attribute,
            "metric": metric,
        }
        for row in gap_rows()
        if row["attribute"] == "gender"
        for attribute in attributes
        for metric in metrics
        if metric.partition("@")[0] == row["metric"].partition("@")[0]
    ]
    groups = [
        {
            **row,
            "id": f"group/{row['system']}/{attribute}/{row['group']}/{metric}",
            "attribute": attribute,
            "metric": metric,
        }
        for row in group_rows()
        if row["attribute"] == "gender"
        for attribute in attributes
        for metric in metrics
        if metric.partition("@")[0] == row["metric"].partition("@")[0]
    ]
    return evidence(gaps=gaps, groups=groups)
