"""The twin of a log: a world with the log's shape and a truth of its own.

World.like(log, users, items)    # a World: log, dataset(), respond(), preference, propensity ...
likeness(world, log)             # how far its log is from the one it was made from
"""

from equipoise.worlds.twin.likeness import likeness
from equipoise.worlds.twin.twin import Twin

__all__ = ["Twin", "likeness"]
