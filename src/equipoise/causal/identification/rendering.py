"""Formulas as people read them: plain text and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from equipoise.causal.identification.expressions import Expression, Probability, Ratio, Sum

Order = Callable[[str], int]


@dataclass(frozen=True)
class Style:
    """How the parts of a formula are written.

    Attributes:
        name: Writes a variable.
        bar: Stands before a condition.
        sum_over: Writes a sum sign from the list of its variables.
        brackets: Stand around a sum within a product.
        fraction: Writes a ratio from its numerator and denominator.
        operator: Writes the name of an operator, such as "do".
    """

    name: Callable[[str], str]
    bar: str
    sum_over: Callable[[str], str]
    brackets: tuple[str, str]
    fraction: Callable[[str, str], str]
    operator: Callable[[str], str]


_IN_MATHS = {
    "\\": r"\backslash{}",
    "^": r"\wedge{}",
    "~": r"\sim{}",
}  # a backslash before them is an accent of text


def _latex_name(name: str) -> str:
    word = re.sub(r"[\\{}_^#$%&~ ]", lambda match: _IN_MATHS.get(match[0], "\\" + match[0]), name)
    return word if len(name) == 1 else rf"\mathrm{{{word}}}"


PLAIN = Style(
    name=str,
    bar=" | ",
    sum_over=lambda names: f"Σ_{{{names}}} " if "," in names else f"Σ_{names} ",
    brackets=("[", "]"),
    fraction=lambda above, below: f"[{above}] / [{below}]",
    operator=str,
)
LATEX = Style(
    name=_latex_name,
    bar=r" \mid ",
    sum_over=lambda names: rf"\sum_{{{names}}} ",
    brackets=(r"\left[", r"\right]"),
    fraction=lambda above, below: rf"\frac{{{above}}}{{{below}}}",
    operator=lambda word: rf"\operatorname{{{word}}}",
)


def render(expression: Expression, style: Style, order: Order, marks: Mapping[str, str] | None = None) -> str:
    """A formula in a style; a bound variable whose name is in use outside its sum gets a prime.

    Args:
        expression: The formula.
        style: How to write.
        order: Place of each variable in lists.
        marks: What to write behind free variables, such as a subscript; nothing by default.
    """
    free = dict.fromkeys(expression.free, "")
    return _render(expression, style, order, {**free, **(marks or {})})


def _render(expression: Expression, style: Style, order: Order, marks: Mapping[str, str]) -> str:
    if isinstance(expression, Probability):
        given = listing(expression.given, style, order, marks)
        return f"P({listing(expression.variables, style, order, marks)}{style.bar + given if given else ''})"
    if isinstance(expression, Ratio):
        parts = (
            _render(part, style, order, marks) for part in (expression.numerator, expression.denominator)
        )
        return style.fraction(*parts)
    if isinstance(expression, Sum):
        bound = {
            name: "'" * (marks[name].count("'") + 1) if name in marks else "" for name in expression.over
        }
        inner = {**marks, **bound}
        over = listing(expression.over, style, order, inner)
        return style.sum_over(over) + _render(expression.term, style, order, inner)
    words = [_render(factor, style, order, marks) for factor in expression.factors]
    for place, factor in enumerate(expression.factors[:-1]):
        if isinstance(factor, Sum):
            words[place] = words[place].join(style.brackets)
    return " ".join(words) or "1"


def listing(names: Iterable[str], style: Style, order: Order, marks: Mapping[str, str]) -> str:
    """Variables in order, with commas between them and their marks behind them."""
    return ", ".join(style.name(name) + marks.get(name, "") for name in sorted(names, key=order))


def left_side(
    outcome: Iterable[str], do: Iterable[str], given: Iterable[str], style: Style, order: Order
) -> str:
    """The query: P(outcome | do(do), given)."""
    act, seen = listing(do, style, order, {}), listing(given, style, order, {})
    condition = ", ".join(filter(None, (f"{style.operator('do')}({act})" if act else "", seen)))
    return f"P({listing(outcome, style, order, {})}{style.bar + condition if condition else ''})"
