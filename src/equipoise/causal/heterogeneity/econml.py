"""EconML's estimators behind our own `fit` and `effect`; an optional extra."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from equipoise.causal.heterogeneity.learner import Learner
from equipoise.errors import MissingExtraError
from equipoise.statistics.interval import Floats


@dataclass(frozen=True)
class Adapted:
    """A fitted estimator of EconML.

    Attributes:
        estimator: Anything with `effect(X)`.
    """

    estimator: Any

    def effect(self, x: Floats) -> Floats:
        """Its effect of 1 against 0, (n,)."""
        return np.asarray(self.estimator.effect(x), dtype=np.float64).reshape(len(x))


class EconMLLearner(Learner):
    """Any EconML estimator of conditional effects that is fitted by `fit(Y, T, X=X)`.

    All features are given as X: effects may vary by everything that is adjusted for. Needs the extra `causal`.
    """

    name: ClassVar[str] = "econml"

    estimator: Any = None
    """An unfitted estimator; None takes a causal forest by double machine learning."""

    def learn(self, x: Floats, t: Floats, y: Floats, clusters: np.ndarray[Any, Any] | None) -> Adapted:
        """A fitted copy of the estimator; clusters go to its folds where it takes groups.

        Raises:
            MissingExtraError: if EconML is not installed.
        """
        estimator = self._forest() if self.estimator is None else copy.deepcopy(self.estimator)
        groups = {} if clusters is None else {"groups": clusters}
        estimator.fit(y, t.astype(np.int64), X=x, **groups)
        return Adapted(estimator)

    def _forest(self) -> Any:
        try:
            from econml.dml import CausalForestDML
        except ImportError as error:
            raise MissingExtraError("econml", extra="causal", purpose="The learner 'econml'") from error
        return CausalForestDML(discrete_treatment=True, random_state=self.seed)
