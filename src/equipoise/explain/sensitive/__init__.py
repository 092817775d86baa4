"""What of a score runs along which path from a sensitive attribute. The noun that leaves is `Sensitive`."""

from equipoise.explain.sensitive.estimate import Case, Redrawn, sensitive
from equipoise.explain.sensitive.mechanisms import Mechanisms
from equipoise.explain.sensitive.result import Along, Sensitive
from equipoise.explain.sensitive.routes import Route, routes

__all__ = ["Along", "Case", "Mechanisms", "Redrawn", "Route", "Sensitive", "routes", "sensitive"]
