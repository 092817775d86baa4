"""What every metric means: formula, range, unit and direction, once, for docstrings' readers, reports and
evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Definition:
    """Meaning of one metric.

    Attributes:
        name: The name without cutoff ("ndcg").
        title: The name in words.
        formula: In plain text; `u` a user, `i` an item, `r` a rank from 1, `k` the cutoff, `rel(u)` the set
            of items in the truth of `u`, `hit(r)` 1 where the item at rank `r` is in `rel(u)` and 0
            elsewhere.
        low: Smallest possible value.
        high: Largest possible value; None where there is no bound.
        unit: Unit of the value.
        better: Whether "high" or "low" values are better; "neither" where it depends on the purpose.
        level: "user" (a mean over users, with intervals), "list" (the same, without any truth) or "system"
            (one value of all lists together, without intervals: a bootstrap over users is biased for it).
        note: What a reader should know besides.
    """

    name: str
    title: str
    formula: str
    low: float
    high: float | None
    unit: str
    better: str
    level: str
    note: str = ""


_ALL = (
    Definition(
        "precision",
        "Precision",
        "(1/k) · Σ_{r≤k} hit(r)",
        0,
        1,
        "share of the list",
        "high",
        "user",
        "Divided by k even where a list is shorter.",
    ),
    Definition(
        "recall",
        "Recall",
        "Σ_{r≤k} hit(r) / |rel(u)|",
        0,
        1,
        "share of the truth",
        "high",
        "user",
        "Cannot reach 1 where |rel(u)| > k.",
    ),
    Definition(
        "hit_rate",
        "Hit rate",
        "1 if Σ_{r≤k} hit(r) > 0, else 0",
        0,
        1,
        "share of users",
        "high",
        "user",
    ),
    Definition(
        "ndcg",
        "NDCG",
        "Σ_{r≤k} hit(r)/log2(r+1)  /  Σ_{r≤min(k,|rel(u)|)} 1/log2(r+1)",
        0,
        1,
        "share of the ideal",
        "high",
        "user",
        "Binary relevance: the values in the truth are not used.",
    ),
    Definition(
        "mrr",
        "MRR",
        "1 / (rank of the first hit), 0 if it is beyond k",
        0,
        1,
        "reciprocal rank",
        "high",
        "user",
    ),
    Definition(
        "map",
        "MAP",
        "(1/min(k,|rel(u)|)) · Σ_{r≤k} hit(r) · precision at r",
        0,
        1,
        "mean precision",
        "high",
        "user",
    ),
    Definition("rmse", "RMSE", "√( mean of (score − value)² )", 0, None, "unit of the value", "low", "user"),
    Definition(
        "mse", "MSE", "mean of (score − value)²", 0, None, "unit of the value, squared", "low", "user"
    ),
    Definition("mae", "MAE", "mean of |score − value|", 0, None, "unit of the value", "low", "user"),
    Definition(
        "diversity",
        "Intra-list diversity",
        "1 − mean over pairs i≠j of the list of cosine(i, j)",
        0,
        2,
        "distance",
        "high",
        "list",
        "With a category in the place of vectors, cosine is 1 for the same and 0 for another.",
    ),
    Definition(
        "novelty",
        "Novelty",
        "mean over the list of −log2( max(1, users of i in training) / users in training )",
        0,
        None,
        "bits",
        "neither",
        "list",
        "An item nobody had counts as if one user had it.",
    ),
    Definition(
        "popularity",
        "Mean popularity",
        "mean over the list of (users of i in training) / users in training",
        0,
        1,
        "share of users",
        "neither",
        "list",
    ),
    Definition(
        "coverage",
        "Catalogue coverage",
        "|items in any list up to k| / |catalogue|",
        0,
        1,
        "share of the catalogue",
        "high",
        "system",
        "Grows with the number of users and with k.",
    ),
    Definition(
        "gini",
        "Gini of exposure",
        "Σ_j (2j − n − 1) · x_j / (n · Σ x),  x ascending counts of n items",
        0,
        1,
        "concentration",
        "low",
        "system",
        "0: all items equally often; near 1: one item has everything. Items never shown count as 0.",
    ),
    Definition(
        "entropy",
        "Entropy of exposure",
        "−Σ_i p_i · log2 p_i,  p_i share of all places held by i",
        0,
        None,
        "bits",
        "high",
        "system",
        "At most log2 of the catalogue's size.",
    ),
)

DEFINITIONS: Final[dict[str, Definition]] = {definition.name: definition for definition in _ALL}
"""All definitions by name, without cutoff."""
