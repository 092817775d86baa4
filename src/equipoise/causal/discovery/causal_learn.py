"""Graphs learned from data by the algorithms of the package causal-learn (Zheng et al. 2024)."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from io import StringIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from equipoise.causal.discovery.partial_graph import CIRCLE, HEAD, TAIL, PartialGraph
from equipoise.causal.independence.conditional import independence_test
from equipoise.causal.independence.variables import Values, Variable
from equipoise.errors import DataError, MissingExtraError

Columns = Mapping[str, Values]
Learner = Callable[[Mapping[str, Variable], Columns, float], PartialGraph]

_OWN = "equipoise"  # the name of our test of independence among theirs
_MARKS = {-1: TAIL, 1: HEAD, 2: CIRCLE}


def pc(variables: Mapping[str, Variable], columns: Columns, level: float) -> PartialGraph:
    """A CPDAG from independences, if nothing is hidden (Spirtes, Glymour & Scheines 2000, section 5.4).

    Colliders are told from the separating set of the largest p-value (Ramsey 2016), which errs far less than
    the first one found.
    """
    from causallearn.search.ConstraintBased.PC import pc as learn

    test = _test(variables)
    found = learn(_matrix(variables, columns), level, test, uc_rule=1, show_progress=False)
    return _read(variables, found.G.graph)


def fci(variables: Mapping[str, Variable], columns: Columns, level: float) -> PartialGraph:
    """A PAG from independences, with room for hidden causes (Zhang 2008)."""
    from causallearn.search.ConstraintBased.FCI import fci as learn

    test = _test(variables)
    found, _ = learn(_matrix(variables, columns), test, level, show_progress=False)
    return _read(variables, found.graph)


def ges(variables: Mapping[str, Variable], columns: Columns, level: float) -> PartialGraph:
    """A CPDAG by its score, BDeu for categories and BIC for quantities (Chickering 2002)."""
    from causallearn.search.ScoreBased.GES import ges as learn

    kinds = {variable.discrete for variable in variables.values()}
    if len(kinds) > 1:
        raise DataError(
            "The method 'ges' has a score for categories and one for quantities, but none for both",
            where=_listed(variables),
            todo="Use 'pc' or 'fci', or put the quantities into bands.",
        )
    score = "local_score_BDeu" if kinds == {True} else "local_score_BIC"
    return _read(variables, learn(_matrix(variables, columns), score)["G"].graph)


def lingam(variables: Mapping[str, Variable], columns: Columns, level: float) -> PartialGraph:
    """A DAG of linear functions with noises that are not normal (DirectLiNGAM, Shimizu et al. 2011)."""
    from causallearn.search.FCMBased.lingam import DirectLiNGAM

    if any(variable.discrete for variable in variables.values()):
        raise DataError(
            "The method 'lingam' is about linear functions of quantities, and there are categories",
            where=_listed(variables),
            todo="Use 'pc' or 'fci', or leave the categories out.",
        )
    weights = DirectLiNGAM().fit(_matrix(variables, columns)).adjacency_matrix_  # [effect, cause]
    names = tuple(variables)
    arrows = [(names[cause], TAIL, HEAD, names[effect]) for effect, cause in np.argwhere(weights != 0)]
    return PartialGraph.from_marks(names, arrows)


LEARNERS: Mapping[str, Learner] = {"pc": pc, "ges": ges, "lingam": lingam, "fci": fci}


def learn(method: str, variables: Mapping[str, Variable], columns: Columns, level: float) -> PartialGraph:
    """The graph that a method learns from these columns.

    Args:
        method: A name of `LEARNERS`.
        variables: What the columns are.
        columns: Their values, (n,) each, as `Variable.encode` gives them.
        level: Level of the tests of independence, for the methods that test.

    Raises:
        MissingExtraError: if causal-learn is not installed.
        DataError: if a column never varies, columns determine each other, or the method is not for such data.
    """
    for name, values in columns.items():
        if (values == values[0]).all():
            raise DataError(
                f"'{name}' never varies, so nothing can be learned about it", todo="Leave it out."
            )
    try:
        import causallearn  # noqa: F401
    except ImportError:
        raise MissingExtraError("causal-learn", extra="causal", purpose=f"The method '{method}'") from None
    try:
        with redirect_stdout(StringIO()), warnings.catch_warnings():  # the package prints what it finds
            warnings.simplefilter("ignore")
            return LEARNERS[method](variables, columns, level)
    except (ValueError, np.linalg.LinAlgError) as error:
        raise DataError(
            f"The method '{method}' cannot learn from these columns: {error}",
            where=f"{len(variables)} columns",
            todo="Leave out columns that others determine, such as a sum beside its parts.",
        ) from error


def _matrix(variables: Mapping[str, Variable], columns: Columns) -> NDArray[Any]:
    """The columns side by side: (n, variables), whole numbers where all are categories."""
    whole = all(variable.discrete for variable in variables.values())
    return np.column_stack([columns[name] for name in variables]).astype(np.int64 if whole else np.float64)


def _test(variables: Mapping[str, Variable]) -> str:
    """The test of independence for such data; for categories beside quantities it is our own."""
    kinds = {variable.discrete for variable in variables.values()}
    if len(kinds) == 1:
        return "gsq" if kinds == {True} else "fisherz"
    from causallearn.utils.cit import CIT_Base, register_ci_test

    names = list(variables)

    class Mixed(CIT_Base):  # type: ignore[misc]
        """Independence of columns of both kinds."""

        method = _OWN

        def __call__(self, x: int, y: int, given: Any = None) -> float:
            key = (min(x, y), max(x, y), tuple(sorted(given or ())))
            if key not in self.pvalue_cache:
                columns = {name: self.data[:, place] for place, name in enumerate(names)}
                fixed = [names[place] for place in key[2]]
                found = independence_test(names[key[0]], names[key[1]], fixed, variables, columns)
                self.pvalue_cache[key] = found.p_value
            return float(self.pvalue_cache[key])

    register_ci_test(_OWN, Mixed)
    return _OWN


def _read(variables: Mapping[str, Variable], matrix: NDArray[Any]) -> PartialGraph:
    """A graph of causal-learn: entry (i, j) is the mark at i of the edge between i and j."""
    names = tuple(variables)
    marks = [
        (names[i], _MARKS[int(matrix[i, j])], _MARKS[int(matrix[j, i])], names[j])
        for i in range(len(names))
        for j in range(i + 1, len(names))
        if matrix[i, j] and matrix[j, i]
    ]
    return PartialGraph.from_marks(names, marks)


def _listed(variables: Mapping[str, Variable]) -> str:
    counted = [name for name, variable in variables.items() if variable.discrete]
    return f"categories: {', '.join(counted) or 'none'}"
