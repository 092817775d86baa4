"""The loss of stabilised doubly robust training: a self-normalised mean whose weights agree with what is imputed."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from equipoise.debias.during.imputation import Imputation, PseudoRatings, scores
from equipoise.models.training import Step

_MOST = 8.0  # a weight changes by at most exp(_MOST)
_HALVINGS = 60


@dataclass(frozen=True)
class Stabilised(Imputation):
    """Head that replaces the model's weighted loss by the stabilised doubly robust one, batch by batch."""

    name: str = "stabilised imputation"

    def correction(self, network: PseudoRatings, step: Step) -> Tensor:
        """The imputed error of all cells and the weighted difference of true and imputed error of those seen, less the
        model's own weighted loss.

        Weights are those of `tilted`, under which the imputed errors in the sum cancel: its value is the weighted mean
        of errors that were seen, while its gradient is that of both parts.
        """
        assert step.values is not None
        said = scores(step)
        error = (said - step.values).square()
        imputed = (said - network.each(step.users, step.targets).detach()).square()
        everywhere = self.everywhere(network, step)
        weights = tilted(step.weights, imputed.detach(), everywhere.detach())
        return everywhere + (weights * (error - imputed)).mean() - (step.weights * error).mean()


def tilted(weights: Tensor, imputed: Tensor, everywhere: Tensor) -> Tensor:
    """The weights of the same sum and of least relative entropy to `weights` under which `imputed` averages to
    `everywhere`.

    They go as `weights * exp(t (imputed - everywhere))` (Hainmueller 2012, "Entropy balancing", section 3.2). Where no
    weights do, because all is on one side, or only extreme ones, the ratio goes as far as exp(8). Of one example alone,
    and where all weights are 0, they stay as they are.

    Args:
        weights: Not negative, shape (n,).
        imputed: Imputed error of each example, shape (n,).
        everywhere: Their mean over all cells, a scalar.
    """
    apart, base = (imputed - everywhere).double(), weights.double()
    largest = apart.abs().max()
    if not bool(largest > 0) or not bool(base.sum() > 0):
        return weights
    apart = apart / largest  # in [-1, 1]
    low, high = -_MOST, _MOST
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float((base * torch.exp(middle * apart) * apart).sum()) > 0:
            high = middle
        else:
            low = middle
    moved = base * torch.exp((low + high) / 2 * apart)
    return (moved * (base.sum() / moved.sum())).to(weights.dtype)
