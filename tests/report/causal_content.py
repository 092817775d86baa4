"""Filled contents of the causal pages, with names that try to break them."""

from __future__ import annotations

import copy

import numpy as np

NASTY = "<script>alert('x')</script>"
CAVEAT = "A passed check never proves identification."


def card(**changes):
    """A card with everything in it."""
    rng = np.random.default_rng(0)
    e = {"treated": rng.beta(3.2, 3, 2400), "control": rng.beta(2, 3.6, 3600)}
    edges = np.linspace(0, 1, 21)
    counts = {side: np.histogram(values, edges)[0] for side, values in e.items()}
    names = ["age", "activity", "年龄段=30-44", NASTY, "a_rather_long_name_of_a_covariate", "price", "visits"]
    told = {
        "kind": "effect-card",
        "schema": 1,
        "question": {
            "treatment": "shown",
            "outcome": "bought",
            "treated": 1,
            "control": 0,
            "estimand": "ate",
            "method": "aipw",
            "outcome_kind": "binary",
        },
        "graph": {
            "text": "age -> shown; age -> bought; shown -> bought; shown <-> visits",
            "mermaid": "graph TD",
            "nodes": ["age", "activity", "shown", "visits", "bought"],
            "edges": [
                {"from": "age", "to": "shown", "kind": "->"},
                {"from": "age", "to": "bought", "kind": "->"},
                {"from": "activity", "to": "shown", "kind": "->"},
                {"from": "activity", "to": "bought", "kind": "->"},
                {"from": "shown", "to": "bought", "kind": "->"},
                {"from": "shown", "to": "visits", "kind": "<->"},
            ],
        },
        "identification": {
            "strategy": "backdoor",
            "formula": "Σ_{age, activity} P(bought | shown, age, activity) P(age, activity)",
            "latex": r"\sum_{a} P(y \mid x, a) P(a)",
            "adjustment_set": ["age", "activity"],
            "assumptions": ["No other common cause of shown and bought than those drawn."],
        },
        "data": {
            "n": 6000,
            "clusters": 1810,
            "cluster": "user_id",
            "treated": 2400,
            "control": 3600,
            "dropped": 12,
        },
        "estimate": {
            "value": 0.0341,
            "low": 0.0198,
            "high": 0.0484,
            "standard_error": 0.0073,
            "p_value": 0.00001,
            "level": 0.95,
            "refused": False,
            "reason": None,
            "interval_reliable": True,
            "bounds": None,
            "naive": {"value": 0.0912, "low": 0.0781, "high": 0.1043},
        },
        "overlap": {
            "minimum": 0.031,
            "q01": 0.062,
            "median": 0.41,
            "q99": 0.91,
            "maximum": 0.957,
            "effective_sample_size": {"treated": 1712.3, "control": 2815.9},
            "max_weight": 21.4,
            "mean_weight": 1.003,
            "share_clipped": 0.0,
            "clip": 0.01,
            "histogram": [
                {"low": float(a), "high": float(b), "treated": int(t), "control": int(c)}
                for a, b, t, c in zip(
                    edges[:-1], edges[1:], counts["treated"], counts["control"], strict=True
                )
            ],
        },
        "balance": [
            {"covariate": name, "before": before, "after": after}
            for name, before, after in zip(
                names,
                (0.62, -0.31, 0.11, 0.05, -0.2, 0.4, 0.01),
                (0.02, -0.01, 0.04, 0.0, 0.03, 0.13, 0.005),
                strict=True,
            )
        ],
        "calibration": {
            "ece": 0.012,
            "bins": [
                {"predicted": p, "observed": p + d, "n": n}
                for p, d, n in zip(
                    (0.08, 0.2, 0.35, 0.5, 0.65, 0.8, 0.93),
                    (0.01, -0.015, 0.01, 0.02, -0.02, 0.01, -0.01),
                    (400, 1200, 1500, 1300, 900, 500, 200),
                    strict=True,
                )
            ],
        },
        "refutations": [
            {
                "name": "permutation_placebo",
                "status": "passed",
                "value": 0.0003,
                "low": -0.014,
                "high": 0.015,
                "p_value": 0.41,
                "expected": 0.0,
                "details": {},
                "says": "With the treatment permuted the effect is about 0.",
                "meaning": "The method finds effects in noise: leakage, or a wrong standard error.",
            },
            {
                "name": "random_common_cause",
                "status": "passed",
                "value": 0.0339,
                "low": 0.0335,
                "high": 0.0346,
                "p_value": None,
                "expected": 0.0341,
                "details": {},
                "says": "A random covariate moves the estimate little.",
                "meaning": "The nuisance models are unstable, or there is too little data.",
            },
            {
                "name": "negative_control_outcome",
                "status": "failed",
                "value": 0.021,
                "low": 0.008,
                "high": 0.034,
                "p_value": 0.0004,
                "expected": 0.0,
                "details": {},
                "says": f"An effect on {NASTY}, where there can be none.",
                "meaning": "Something that was not recorded drives both.",
            },
            {
                "name": "dummy_outcome",
                "status": "not run",
                "value": None,
                "low": None,
                "high": None,
                "p_value": None,
                "expected": None,
                "details": {},
                "says": "Not asked for.",
                "meaning": "The estimator is biased.",
            },
        ],
        "sensitivity": {
            "e_value": {"point": 2.31, "limit": 1.62, "risk_ratio": 1.45},
            "rosenbaum": {
                "gamma": 1.4,
                "curve": [
                    {"gamma": g, "p_low": 0.0, "p_high": float(1 / (1 + np.exp(-(g - 1.62) * 12)))}
                    for g in np.linspace(1, 2, 11).tolist()
                ],
            },
            "partial_r2": {
                "robustness_value": 0.113,
                "robustness_value_significance": 0.062,
                "treatment_outcome": 0.014,
                "benchmarks": [
                    {"covariate": "age", "treatment": 0.041, "outcome": 0.03, "adjusted": 0.031},
                    {"covariate": "activity", "treatment": 0.012, "outcome": 0.088, "adjusted": 0.033},
                    {"covariate": NASTY, "treatment": 0.09, "outcome": 0.02, "adjusted": 0.03},
                ],
            },
        },
        "verdict": {
            "code": "not credible",
            "sentence": "The estimate is not credible: a negative control failed.",
            "because": ["The negative control outcome shows an effect where there can be none."],
        },
        "caveat": CAVEAT,
        "created": "2025-03-01T09:30:00+00:00",
        "command": "equipoise effect shown.toml",
        "versions": {"equipoise": "0.1.0", "numpy": "2.4.0"},
        "groups": [
            {"group": "age=18-29", "value": 0.05, "low": 0.02, "high": 0.08, "n": 2100, "p_adjusted": 0.004},
            {"group": NASTY, "value": -0.01, "low": -0.06, "high": 0.04, "n": 400, "p_adjusted": 0.7},
        ],
    }
    return copy.deepcopy({**told, **changes})


def refused_card():
    """A card without a number."""
    refusal = {
        "value": None,
        "low": None,
        "high": None,
        "standard_error": None,
        "p_value": None,
        "level": 0.95,
        "refused": True,
        "reason": "The propensities of 61 % of the rows lie beyond 0.01 or 0.99.",
        "interval_reliable": False,
        "bounds": {
            "low": -0.41,
            "high": 0.59,
            "assumption": "The outcome lies in [0, 1]; nothing else is assumed.",
        },
        "naive": {"value": 0.0912, "low": 0.0781, "high": 0.1043},
    }
    return card(
        estimate=refusal,
        refutations=[],
        sensitivity={"e_value": None, "rosenbaum": None, "partial_r2": None},
        verdict={
            "code": "refused",
            "sentence": "No number is given: the treated and the others do not overlap.",
            "because": [],
        },
    )


def policy_value(**changes):
    """The value of a policy with everything in it."""
    told = {
        "kind": "policy-value",
        "schema": 1,
        "estimator": "dr",
        "options": {"clip": None},
        "value": 0.0612,
        "low": 0.0541,
        "high": 0.0683,
        "level": 0.95,
        "standard_error": 0.0036,
        "n": 20000,
        "clusters": 4310,
        "effective_sample_size": 6120.4,
        "effective_share": 0.306,
        "max_weight": 31.2,
        "mean_weight": 1.013,
        "mean_weight_z": 0.8,
        "share_clipped": 0.0,
        "unsupported_mass": 0.0,
        "largest_share": 0.0016,
        "largest_contribution": 0.021,
        "logger_value": {"value": 0.0471, "low": 0.0442, "high": 0.05},
        "difference": {"value": 0.0141, "low": 0.0068, "high": 0.0214},
        "refused": False,
        "reason": None,
        "reasons": [],
        "interval_reliable": True,
        "support": {
            "minimum_effective_sample_size": 100,
            "largest_share": 0.1,
            "mean_weight_errors": 3.0,
            "mean_weight_factor": 1.5,
        },
        "candidates": [
            {
                "estimator": "ips",
                "options": {},
                "value": 0.063,
                "low": 0.049,
                "high": 0.077,
                "estimated_error": 0.014,
                "chosen": False,
            },
            {
                "estimator": "dr",
                "options": {},
                "value": 0.0612,
                "low": 0.0541,
                "high": 0.0683,
                "estimated_error": 0.0071,
                "chosen": True,
            },
            {
                "estimator": "switch_dr",
                "options": {"tau": 10.0},
                "value": 0.052,
                "low": 0.049,
                "high": 0.055,
                "estimated_error": 0.009,
                "chosen": False,
            },
        ],
        "target": NASTY,
        "created": "2025-03-01T09:30:00+00:00",
        "command": "equipoise policy-value --log log.parquet",
        "versions": {"equipoise": "0.1.0"},
    }
    return copy.deepcopy({**told, **changes})


def refused_value():
    """A policy that the log cannot value."""
    return policy_value(
        value=None,
        low=None,
        high=None,
        standard_error=None,
        difference=None,
        refused=True,
        effective_sample_size=41.0,
        reason="The effective sample size is 41, under 100.",
        reasons=["effective_sample_size"],
        interval_reliable=False,
        candidates=[],
    )


def gate(status="fail", **changes):
    """The gate with a check of value and three of fairness."""
    told = {
        "kind": "gate",
        "schema": 1,
        "candidate": "new",
        "current": "logged",
        "verdict": {"code": status},
        "checks": [
            {
                "subject": "value",
                "status": "pass",
                "code": "better",
                "value": 0.0141,
                "low": 0.0068,
                "high": 0.0214,
                "minimum": 0.0,
            },
            {
                "subject": "fairness",
                "status": "fail",
                "code": "unfair",
                "attribute": "gender",
                "metric": "ndcg@10",
                "kind": "difference",
                "value": 0.051,
                "low": 0.031,
                "high": 0.071,
                "tolerance": 0.02,
            },
            {
                "subject": "fairness",
                "status": "undecided",
                "code": "insufficient",
                "attribute": NASTY,
                "metric": "recall@10",
                "kind": "difference",
                "value": 0.011,
                "low": -0.031,
                "high": 0.051,
                "tolerance": 0.02,
            },
            {
                "subject": "fairness",
                "status": "pass",
                "code": "fair",
                "attribute": "age",
                "metric": "recall@10",
                "kind": "difference",
                "value": 0.001,
                "low": -0.01,
                "high": 0.012,
                "tolerance": 0.02,
            },
        ],
        "value": {
            "estimator": "snips",
            "level": 0.95,
            "n": 20000,
            "clusters": 4310,
            "effective_sample_size": 6120.4,
            "effective_share": 0.306,
            "candidate": {"value": 0.0612, "low": 0.0541, "high": 0.0683},
            "current": {"value": 0.0471, "low": 0.0442, "high": 0.05},
            "difference": {"value": 0.0141, "low": 0.0068, "high": 0.0214},
        },
        "policy": {
            "owner": "Responsible AI board",
            "launch": {"minimum_gain": 0.0, "estimator": "snips", "insufficient": "undecided"},
        },
        "created": "2025-03-01T09:30:00+00:00",
        "command": "equipoise gate new --against logged --policy policy.toml",
        "versions": {"equipoise": "0.1.0"},
    }
    return copy.deepcopy({**told, **changes})


SACHS = [
    "Erk->Akt",
    "Mek->Erk",
    "PIP2->PKC",
    "PIP3->PIP2",
    "PKA->Akt",
    "PKA->Erk",
    "PKA->Jnk",
    "PKA->Mek",
    "PKA->P38",
    "PKA->Raf",
    "PKC->Jnk",
    "PKC->Mek",
    "PKC->P38",
    "PKC->PKA",
    "PKC->Raf",
    "Plcg->PIP2",
    "Plcg->PIP3",
    "Raf->Mek",
]


def graph(**changes):
    """A graph with a query, hidden causes and tests."""
    told = {
        "kind": "graph",
        "schema": 1,
        "name": "clicks",
        "verdict": {
            "code": "identified",
            "sentence": "The effect of history on click is identified by back-door adjustment.",
        },
        "nodes": ["age", "region", "history", "position", "click", NASTY],
        "edges": [
            {"from": "age", "to": "history", "kind": "->"},
            {"from": "history", "to": "click", "kind": "->"},
            {"from": "age", "to": "click", "kind": "->"},
            {"from": "region", "to": "age", "kind": "->"},
            {"from": "history", "to": "position", "kind": "->"},
            {"from": "position", "to": "click", "kind": "->"},
            {"from": "region", "to": "click", "kind": "->"},
            {"from": "region", "to": "history", "kind": "<->"},
            {"from": "position", "to": "age", "kind": "<->"},
        ],
        "text": "age -> history",
        "mermaid": "graph TD\n  age --> history",
        "graphviz": "digraph { age -> history }",
        "query": {
            "outcome": ["click"],
            "do": ["history"],
            "given": [],
            "identified": True,
            "formula": "Σ_age P(click | history, age) P(age)",
            "latex": r"\sum_a P(c \mid h, a) P(a)",
            "strategy": "backdoor",
            "adjustment_set": ["age"],
            "adjustment_sets": [["age"], ["region"]],
            "assumptions": ["The graph is right."],
        },
        "implications": [
            {
                "a": "region",
                "b": "position",
                "given": ["history"],
                "test": "G-test",
                "statistic": 4.31,
                "p_value": 0.038,
                "p_adjusted": 0.076,
                "rejected": False,
            },
            {
                "a": NASTY,
                "b": "age",
                "given": [],
                "test": "G-test",
                "statistic": 44.31,
                "p_value": 1e-9,
                "p_adjusted": 1e-9,
                "rejected": True,
            },
        ],
        "level": 0.05,
        "versions": {"equipoise": "0.1.0"},
        "command": "equipoise graph show clicks.graph --do history",
    }
    return copy.deepcopy({**told, **changes})


def proposal():
    """A proposed graph with open ends and confidence."""
    pairs = [edge.split("->") for edge in SACHS]
    kinds = ["->", "--", "o->", "->", "<->", "o-o"]
    return graph(
        nodes=["Akt", "Erk", "Jnk", "Mek", "P38", "PIP2", "PIP3", "PKA", "PKC", "Plcg", "Raf", "alone"],
        edges=[
            {"from": a, "to": b, "kind": kinds[i % 6], "confidence": round(1 - i / 20, 2)}
            for i, (a, b) in enumerate(pairs)
        ],
        proposal={
            "method": "pc",
            "n": 10000,
            "n_bootstrap": 50,
            "sentence": "PC on 10,000 rows.",
            "refused": ["Akt -> zz"],
        },
        query=None,
        implications=None,
        verdict={"code": "proposal", "sentence": "A proposal of 18 edges, to be accepted by a person."},
    )


def refused_graph():
    """A query that the graph does not identify."""
    return graph(
        verdict={"code": "not identified", "sentence": "The effect of history on click is not identified."},
        query={
            "outcome": ["click"],
            "do": ["history"],
            "given": ["region"],
            "identified": False,
            "reason": "A hidden common cause of history and click cannot be told from the effect.",
            "hedge": {"outer": ["history", "click"], "inner": ["click"]},
        },
        implications=[],
    )


def plan():
    """A plan with two amounts of exploration."""
    options = [
        {"epsilon": 0.01, "decisions": 90000, "users": 30000, "limit": "power", "effective_share": 0.02,
         "max_weight": 800.0, "lost_per_decision": 0.0004, "lost": 36.0, "found": 0.011},
        {"epsilon": 0.1, "decisions": 9000, "users": 3000, "limit": "dominant_row", "effective_share": 0.2,
         "max_weight": 80.0, "lost_per_decision": 0.004, "lost": 36.5, "found": 0.004},
    ]  # fmt: skip
    return {
        "kind": "exploration-plan",
        "schema": 1,
        "options": options,
        "chosen": options[1],
        "reason": "Epsilon 0.1 answers.",
        "audit_users": 14777,
        "audit": {"tolerance": 0.02, "deviation": 0.3, "smallest_share": 0.2},
        "users": 5000,
        "situation": {"items": 8, "reward_rate": 0.08, "gain": 0.005, "against": "current"},
    }
