"""What items and their providers get. `g` is a group of items (or a provider), `|g|` its number of items,
`U` the number of users, `w(r) = 1/log2(r+1)` the attention that rank `r` gets, 0 beyond `k`.
"""

from __future__ import annotations

from typing import Final

from equipoise.metrics.definitions.definition import Definition

_SPREAD = (
    "A spread: pulled away from its fair value by chance where groups are nearly alike; the bias is told."
)
_NOTHING = "Items of unknown group are left out; without any exposure there is no value."
_MERIT = "Groups without items or without positives in the truth are left out; fewer than two left: no value."

PROVIDERS: Final = (
    Definition(
        name="group_exposure",
        title="Exposure of a group of items",
        formula="share_g = Σ_u Σ_{i∈g} w(rank) / Σ_u Σ_i w(rank)",
        low=0,
        high=1,
        fair=None,
        unit="share of exposure",
        better="neither",
        level="provider",
        source="Singh and Joachims (2018), Fairness of exposure in rankings",
        guard=_NOTHING,
        note="Fair where it meets the target that was named.",
    ),
    Definition(
        name="exposure_distance",
        title="Distance of exposure to its target",
        formula="½ Σ_g |share_g − target_g|",
        low=0,
        high=1,
        fair=0,
        unit="share of exposure",
        better="low",
        level="provider",
        source="Singh and Joachims (2018), Fairness of exposure in rankings",
        guard=_NOTHING,
        note=_SPREAD,
    ),
    Definition(
        name="exposure_gap",
        title="Gap of exposure per item",
        formula="max_g EXP_g − min_g EXP_g,  EXP_g = Σ_u Σ_{i∈g} w(rank) / (U·|g|)",
        low=0,
        high=1,
        fair=0,
        unit="exposure per item and user",
        better="low",
        level="provider",
        source="Singh and Joachims (2018), Fairness of exposure in rankings",
        guard="Items never recommended count as 0; groups without items are left out.",
        note=_SPREAD,
    ),
    Definition(
        name="exposure_per_utility",
        title="Exposure per utility (EXPU)",
        formula="min_g / max_g of EXP_g / (positives of g per item),  also called disparate treatment ratio",
        low=0,
        high=1,
        fair=1,
        unit="ratio",
        better="high",
        level="provider",
        source="Singh and Joachims (2018), Fairness of exposure in rankings",
        guard=_MERIT,
        note=_SPREAD,
    ),
    Definition(
        name="clicks_per_utility",
        title="Realised exposure per utility (EXPRU)",
        formula="min_g / max_g of (Σ_u Σ_{i∈g} w(rank)·hit) / (positives of g),  also called disparate impact "
        "ratio",
        low=0,
        high=1,
        fair=1,
        unit="ratio",
        better="high",
        level="provider",
        source="Singh and Joachims (2018), Fairness of exposure in rankings",
        guard=_MERIT + " 0 where all hits are of other groups than one.",
        note=_SPREAD,
    ),
    Definition(
        name="awrf",
        title="Attention-weighted rank fairness",
        formula="mean over users of ½ Σ_g |share_g of the list's attention − target_g|",
        low=0,
        high=1,
        fair=0,
        unit="total variation distance",
        better="low",
        level="provider",
        source="Sapiezynski et al. (2019), Quantifying the impact of user attention on fair group representation in "
        "ranked lists",
        guard="Lists without any item of known group are left out.",
        note="A short list cannot meet a target exactly, so 0 may be out of reach; other variants use other "
        "distances.",
    ),
    Definition(
        name="rsp",
        title="Ranking-based statistical parity (RSP)",
        formula="std over g / mean over g of P(recommended up to k | g) = places of g / (user, item of g) pairs "
        "not in training",
        low=0,
        high=None,
        fair=0,
        unit="coefficient of variation",
        better="low",
        level="provider",
        source="Zhu et al. (2020), Measuring and mitigating item under-recommendation bias in personalized ranking "
        "systems",
        guard="Groups without items are left out; fewer than two left or no place filled: no value.",
        note=_SPREAD,
    ),
    Definition(
        name="reo",
        title="Ranking-based equal opportunity (REO)",
        formula="std over g / mean over g of P(recommended up to k | g, in the truth) = hits of g / positives of g",
        low=0,
        high=None,
        fair=0,
        unit="coefficient of variation",
        better="low",
        level="provider",
        source="Zhu et al. (2020), Measuring and mitigating item under-recommendation bias in personalized ranking "
        "systems",
        guard=_MERIT + " No hit at all: no value.",
        note=_SPREAD,
    ),
    Definition(
        name="provider_gini",
        title="Gini over providers",
        formula="Σ_j (2j − n − 1) · x_j / (n · Σ x),  x ascending exposures of n providers",
        low=0,
        high=1,
        fair=0,
        unit="concentration",
        better="low",
        level="provider",
        source="Fleder and Hosanagar (2009), Blockbuster culture's next rise or fall",
        guard="Providers without exposure count as 0; without any exposure there is no value.",
        note=_SPREAD,
    ),
    Definition(
        name="worst_off_share",
        title="Share of the worst-off fifth of providers",
        formula="exposure of the 20 % of providers with least of it / all exposure",
        low=0,
        high=0.2,
        fair=0.2,
        unit="share of exposure",
        better="high",
        level="provider",
        source="Xu et al. (2023), P-MMF: Provider max-min fairness re-ranking in recommender system",
        guard="Providers without exposure count; a fifth that is no whole number takes part of the next provider.",
        note=_SPREAD,
    ),
)
