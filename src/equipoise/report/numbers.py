"""Numbers as a reader wants them: few digits, a real minus sign, shares as per cent."""

from __future__ import annotations

import math


def number(value: float | None, signed: bool = False) -> str:
    """Four decimals below 1, fewer above, thousands separated; "–" for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    if float(value).is_integer() and size >= 1:
        text = f"{size:,.0f}"
    else:
        text = f"{size:,.{4 if size < 1 else 3 if size < 10 else 2 if size < 1000 else 0}f}"
    negative = value < 0 and float(text.replace(",", "")) != 0
    return ("−" if negative else "+" if signed else "") + text


def brief(value: float | None) -> str:
    """Three significant digits, for numbers read at a glance; "–" for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    size = abs(value)
    text = f"{size:,.0f}" if size >= 100 else f"{size:.3g}" if size >= 1e-4 else f"{size:.1g}"
    return ("−" if value < 0 else "") + text


def tick(value: float, step: float, share: bool = False) -> str:
    """A label on an axis: as many digits as the step between labels needs."""
    scaled, gap = (100 * value, 100 * step) if share else (value, step)
    digits = max(0, -math.floor(math.log10(gap) + 1e-9))
    text = f"{abs(scaled):,.{digits if scaled else 0}f}"
    return ("−" if scaled < 0 else "") + text + (" %" if share else "")


def percent(value: float | None) -> str:
    """A share as per cent with one decimal, none from ten up."""
    if value is None:
        return "–"
    share = 100 * value
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.1f} %"


def count(value: float) -> str:
    """A whole number with thousands separated."""
    return f"{value:,.0f}"


def p_value(value: float | None) -> str:
    """A p-value with three decimals; "–" for none."""
    if value is None:
        return "–"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def seconds(value: float) -> str:
    """A duration in seconds."""
    return f"{value:,.1f}"
