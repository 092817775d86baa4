"""What lists are like, whoever takes what: within and across groups, beside the most popular and random ones."""

from equipoise.audit.lists.baselines import random_lists, top_popular
from equipoise.audit.lists.similarity import cross_group, shared_places, within_group

__all__ = ["cross_group", "random_lists", "shared_places", "top_popular", "within_group"]
