"""`debias`: the base model and every correction side by side, on somebody's own data, and what to pick."""

from equipoise.pipeline.debias.journey import Comparison, debias
from equipoise.pipeline.debias.request import DebiasRequest

__all__ = ["Comparison", "DebiasRequest", "debias"]
