"""Does the estimate hold still: under a covariate of pure noise, and on parts of the data?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from equipoise.causal.effects import Design, Effect
from equipoise.causal.refutation.finding import (
    FAILED,
    MATERIAL,
    NOT_RUN,
    PASSED,
    Finding,
    quantiles,
    refit,
    unanswered,
)

_CAUSE, _SUBSET = "random_common_cause", "subset_stability"
_CAUSE_MEANING = "The estimate moves when nothing was learnt: an unstable model, or too little data for it."
_SUBSET_MEANING = "A few users, or a group that differs from the rest, carry the result."
_LARGEST_RATIO = 1.5
_LARGEST_REFUSED = 0.2


def random_common_cause(effect: Effect, n_draws: int = 10, seed: int = 0, *, show: bool = True) -> Finding:
    """Adjust for noise as well, which should change nothing.

    Fails where the estimate typically (in the median) moves by more than a quarter of its standard error. Not run
    for a general formula, whose variables the graph names.

    Args:
        effect: An effect that was not refused.
        n_draws: Refits, each with a standard normal covariate of its own.
        seed: Root of the noise.
        show: Whether work over two seconds shows a bar.
    """
    design, rng = effect.design, np.random.default_rng([seed, 12])
    assert effect.value is not None
    if effect.method == "formula":
        return Finding(
            _CAUSE, NOT_RUN, "The formula of the graph has no place for one covariate more", _CAUSE_MEANING
        )
    name = "random common cause"
    designs = (design.with_covariate(name, rng.normal(size=design.n)) for _ in range(n_draws))
    fits = refit(effect, designs, "adding a random cause", n_draws, show=show)
    if not fits.enough:
        return unanswered(_CAUSE, _CAUSE_MEANING, fits)
    shift = float(np.median(np.abs(fits.values - effect.value)))
    share = shift / (effect.standard_error or np.inf)
    return Finding(
        _CAUSE,
        FAILED if share > MATERIAL else PASSED,
        f"A covariate of noise moves the estimate by {shift:.4g}, {share:.2f} of its standard error",
        _CAUSE_MEANING,
        float(fits.values.mean()),
        float(fits.values.min()),
        float(fits.values.max()),
        None,
        effect.value,
        {"fits": fits.fits, "refused": fits.refused, "shift": shift, "shift_in_errors": share},
    )


def subset_stability(
    effect: Effect, n_subsets: int = 40, share: float = 0.8, seed: int = 0, *, show: bool = True
) -> Finding:
    """Estimate on random parts of the clusters (rows where there are none).

    Without replacement, a part of share f differs from the whole by `SE √(1/f − 1)`; the ratio of what is seen
    to this is told. Fails where the parts differ 1.5 times as much as that, where they are surely off the whole
    estimate by more than a quarter of a standard error, or where a fifth of them allow no estimate.
    `removal_share` is the smallest share of clusters whose removal would change the sign, by their influence
    (Broderick, Giordano and Meager 2020, "An automatic finite-sample robustness metric").

    Args:
        effect: An effect that was not refused.
        n_subsets: Refits.
        share: Share of the clusters in each, in (0, 1).
        seed: Root of the subsets.
        show: Whether work over two seconds shows a bar.
    """
    design, rng = effect.design, np.random.default_rng([seed, 13])
    assert effect.value is not None
    assert effect.estimate is not None
    labels = (
        np.arange(design.n) if design.clusters is None else np.unique(design.clusters, return_inverse=True)[1]
    ).ravel()
    units = int(labels.max()) + 1

    def designs() -> Iterator[Design]:
        for _ in range(n_subsets):
            kept = np.zeros(units, dtype=bool)
            kept[rng.permutation(units)[: max(2, round(share * units))]] = True
            yield design.take(kept[labels])

    fits = refit(effect, designs(), "estimating on parts of the data", n_subsets, show=show)
    if not fits.enough:
        return unanswered(_SUBSET, _SUBSET_MEANING, fits, status=FAILED)
    due = (effect.standard_error or 0.0) * np.sqrt(1 / share - 1)
    spread = float(np.sqrt(np.mean((fits.values - effect.value) ** 2)))
    ratio = float(spread / due) if due > 0 else 0.0
    bias = fits.bias(effect.value)
    flips = float((np.sign(fits.values) != np.sign(effect.value)).mean())
    refused = fits.refused / n_subsets
    low, high = quantiles(fits.values)
    squares = np.square(effect.estimate.sums)
    largest = float(squares.max() / squares.sum()) if squares.any() else 0.0
    fault = None
    if refused > _LARGEST_REFUSED:
        fault = f"On {refused:.0%} of the parts there is no estimate at all"
    elif ratio > _LARGEST_RATIO or bias.material:
        fault = f"Parts of the data differ from the whole {ratio:.1f} times as much as they should"
    return Finding(
        _SUBSET,
        FAILED if fault else PASSED,
        fault or f"Parts of {share:.0%} give {low:.4g} to {high:.4g}, about as far apart as they should be",
        _SUBSET_MEANING,
        float(fits.values.mean()),
        low,
        high,
        None,
        effect.value,
        {
            "fits": fits.fits,
            "refused": fits.refused,
            "ratio": ratio,
            "other_sign": flips,
            "largest_share": largest,
            "removal_share": _removal_share(effect.estimate.sums, effect.value),
        },
    )


def _removal_share(sums: np.ndarray[tuple[int], np.dtype[np.float64]], value: float) -> float | None:
    """Smallest share of clusters that, by first order, carry the sign; None where all together would not
    change it.
    """
    carried = np.cumsum(np.sort(np.sign(value) * sums)[::-1])
    at = int(np.argmax(carried >= abs(value)))
    return float((at + 1) / len(sums)) if carried[at] >= abs(value) else None
