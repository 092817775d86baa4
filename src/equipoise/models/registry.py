"""The models by the names that configurations use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from equipoise.component import Registry

if TYPE_CHECKING:
    from equipoise.models.recommender import Recommender

models: Registry[Recommender] = Registry(
    "model",
    "equipoise.models",
    {
        "popular": "equipoise.models.popular:Popular",
        "item_knn": "equipoise.models.item_knn:ItemKNN",
        "ease": "equipoise.models.ease:EASE",
        "ials": "equipoise.models.ials:IALS",
        "mult_vae": "equipoise.models.vae.mult_vae:MultVAE",
        "causal_vae": "equipoise.models.vae.causal_vae:CausalVAE",
        "mf": "equipoise.models.mf:MF",
        "invariant": "equipoise.models.disentangled.invariant:Invariant",
        "content": "equipoise.models.content:Content",
        "sequence": "equipoise.models.sequence:Sequence",
        "macr": "equipoise.models.disentangled.macr:MACR",
        "dice": "equipoise.models.disentangled.dice:DICE",
        "esmm": "equipoise.models.disentangled.esmm:ESMM",
        "blend": "equipoise.models.blend:Blend",
        "warm": "equipoise.models.warm:Warm",
        "joint": "equipoise.models.joint:Joint",
        "llm_ranker": "equipoise.models.llm_ranker:LLMRanker",
    },
)
