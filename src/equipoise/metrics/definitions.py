"""What every metric means: formula, range, fair value, unit, direction, source and guards, once, for docstrings'
readers, reports and evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Definition:
    """Meaning of one metric.

    Attributes:
        name: The name without cutoff ("ndcg").
        title: The name in words.
        formula: In plain text; `u` a user, `i` an item, `r` a rank from 1, `k` the cutoff, `rel(u)` the set
            of items in the truth of `u`, `hit(r)` 1 where the item at rank `r` is in `rel(u)` and 0
            elsewhere.
        low: Smallest possible value; None where there is no bound.
        high: Largest possible value; None where there is no bound.
        fair: The value at which this metric finds nothing unfair; None where the metric by itself says
            nothing of fairness (then its gap between groups does, and 0 is fair).
        unit: Unit of the value.
        better: Whether "high" or "low" values are better; "neither" where it depends on the purpose.
        level: "user" (a mean over users, with intervals), "list" (the same, without any truth) or "system"
            (one value of all lists together, without intervals: a bootstrap over users is biased for it).
        source: Paper that defines it.
        guard: What happens with empty lists, users without truth, and divisions by zero.
        note: What a reader should know besides.
    """

    name: str
    title: str
    formula: str
    low: float | None
    high: float | None
    fair: float | None
    unit: str
    better: str
    level: str
    source: str
    guard: str
    note: str = ""


_HITS = "A user without a list scores 0; users without truth are left out and counted."
_ERRORS = "Pairs of the truth without a prediction are left out; a score that is not finite is refused."
_LISTS = "A user without a list has no value."
_EXPOSURE = "0 where nothing was shown; items never shown count as 0."

_ALL = (
    Definition(
        name="precision",
        title="Precision",
        formula="(1/k) · Σ_{r≤k} hit(r)",
        low=0,
        high=1,
        fair=None,
        unit="share of the list",
        better="high",
        level="user",
        source="Herlocker et al. (2004), Evaluating collaborative filtering recommender systems",
        guard=_HITS,
        note="Divided by k even where a list is shorter.",
    ),
    Definition(
        name="recall",
        title="Recall",
        formula="Σ_{r≤k} hit(r) / |rel(u)|",
        low=0,
        high=1,
        fair=None,
        unit="share of the truth",
        better="high",
        level="user",
        source="Herlocker et al. (2004), Evaluating collaborative filtering recommender systems",
        guard=_HITS,
        note="Cannot reach 1 where |rel(u)| > k.",
    ),
    Definition(
        name="hit_rate",
        title="Hit rate",
        formula="1 if Σ_{r≤k} hit(r) > 0, else 0",
        low=0,
        high=1,
        fair=None,
        unit="share of users",
        better="high",
        level="user",
        source="Deshpande and Karypis (2004), Item-based top-N recommendation algorithms",
        guard=_HITS,
    ),
    Definition(
        name="ndcg",
        title="NDCG",
        formula="Σ_{r≤k} hit(r)/log2(r+1)  /  Σ_{r≤min(k,|rel(u)|)} 1/log2(r+1)",
        low=0,
        high=1,
        fair=None,
        unit="share of the ideal",
        better="high",
        level="user",
        source="Järvelin and Kekäläinen (2002), Cumulated gain-based evaluation of IR techniques",
        guard=_HITS,
        note="Binary relevance: the values in the truth are not used.",
    ),
    Definition(
        name="mrr",
        title="MRR",
        formula="1 / (rank of the first hit), 0 if it is beyond k",
        low=0,
        high=1,
        fair=None,
        unit="reciprocal rank",
        better="high",
        level="user",
        source="Voorhees (1999), The TREC-8 question answering track report",
        guard=_HITS,
    ),
    Definition(
        name="map",
        title="MAP",
        formula="(1/min(k,|rel(u)|)) · Σ_{r≤k} hit(r) · precision at r",
        low=0,
        high=1,
        fair=None,
        unit="mean precision",
        better="high",
        level="user",
        source="Buckley and Voorhees (2000), Evaluating evaluation measure stability",
        guard=_HITS,
    ),
    Definition(
        name="rmse",
        title="RMSE",
        formula="√( mean of (score − value)² )",
        low=0,
        high=None,
        fair=None,
        unit="unit of the value",
        better="low",
        level="user",
        source="Herlocker et al. (2004), Evaluating collaborative filtering recommender systems",
        guard=_ERRORS,
    ),
    Definition(
        name="mse",
        title="MSE",
        formula="mean of (score − value)²",
        low=0,
        high=None,
        fair=None,
        unit="unit of the value, squared",
        better="low",
        level="user",
        source="Herlocker et al. (2004), Evaluating collaborative filtering recommender systems",
        guard=_ERRORS,
    ),
    Definition(
        name="mae",
        title="MAE",
        formula="mean of |score − value|",
        low=0,
        high=None,
        fair=None,
        unit="unit of the value",
        better="low",
        level="user",
        source="Herlocker et al. (2004), Evaluating collaborative filtering recommender systems",
        guard=_ERRORS,
    ),
    Definition(
        name="diversity",
        title="Intra-list diversity",
        formula="1 − mean over pairs i≠j of the list of cosine(i, j)",
        low=0,
        high=2,
        fair=None,
        unit="distance",
        better="high",
        level="list",
        source="Ziegler et al. (2005), Improving recommendation lists through topic diversification",
        guard="A list of fewer than two items has no value; an item without vector or category is unlike all.",
        note="With a category in the place of vectors, cosine is 1 for the same and 0 for another.",
    ),
    Definition(
        name="novelty",
        title="Novelty",
        formula="mean over the list of −log2( max(1, users of i in training) / users in training )",
        low=0,
        high=None,
        fair=None,
        unit="bits",
        better="neither",
        level="list",
        source="Zhou et al. (2010), Solving the apparent diversity-accuracy dilemma of recommender systems",
        guard=_LISTS,
        note="An item nobody had counts as if one user had it.",
    ),
    Definition(
        name="popularity",
        title="Mean popularity",
        formula="mean over the list of (users of i in training) / users in training",
        low=0,
        high=1,
        fair=None,
        unit="share of users",
        better="neither",
        level="list",
        source="Abdollahpouri et al. (2019), Managing popularity bias in recommender systems with personalized "
        "re-ranking",
        guard=_LISTS,
    ),
    Definition(
        name="coverage",
        title="Catalogue coverage",
        formula="|items in any list up to k| / |catalogue|",
        low=0,
        high=1,
        fair=None,
        unit="share of the catalogue",
        better="high",
        level="system",
        source="Ge et al. (2010), Beyond accuracy: evaluating recommender systems by coverage and serendipity",
        guard="0 where nothing was shown; a catalogue smaller than what was shown is refused.",
        note="Grows with the number of users and with k.",
    ),
    Definition(
        name="gini",
        title="Gini of exposure",
        formula="Σ_j (2j − n − 1) · x_j / (n · Σ x),  x ascending counts of n items",
        low=0,
        high=1,
        fair=0,
        unit="concentration",
        better="low",
        level="system",
        source="Fleder and Hosanagar (2009), Blockbuster culture's next rise or fall",
        guard=_EXPOSURE,
        note="0: all items equally often; near 1: one item has everything. Items never shown count as 0.",
    ),
    Definition(
        name="entropy",
        title="Entropy of exposure",
        formula="−Σ_i p_i · log2 p_i,  p_i share of all places held by i",
        low=0,
        high=None,
        fair=None,
        unit="bits",
        better="high",
        level="system",
        source="Shannon (1948), A mathematical theory of communication",
        guard=_EXPOSURE,
        note="At most log2 of the catalogue's size.",
    ),
)

DEFINITIONS: Final[dict[str, Definition]] = {definition.name: definition for definition in _ALL}
"""All definitions by name, without cutoff."""
