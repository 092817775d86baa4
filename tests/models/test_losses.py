"""Losses against brute force, values and gradients, and the logQ correction against the full softmax."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional

from equipoise.models import losses


def problem(n: int, items: int, width: int = 5, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    x = torch.tensor(rng.normal(size=(n, width)), dtype=torch.float32, requires_grad=True)
    w = torch.tensor(rng.normal(size=(items, width)), dtype=torch.float32, requires_grad=True)
    targets = torch.tensor(rng.integers(0, items, n))
    weights = torch.tensor(rng.uniform(0, 3, n), dtype=torch.float32)
    return x, w, targets, weights


def gradients(loss: Tensor, *of: Tensor) -> list[np.ndarray]:
    return [gradient.numpy() for gradient in torch.autograd.grad(loss, of)]


def plain_softmax(x: Tensor, w: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    return (functional.cross_entropy(x @ w.T, targets, reduction="none") * weights).mean()


@settings(max_examples=30, deadline=None)
@given(n=st.integers(1, 40), items=st.integers(2, 30), chunk=st.integers(1, 50), seed=st.integers(0, 100))
def test_full_softmax_equals_cross_entropy(n: int, items: int, chunk: int, seed: int) -> None:
    x, w, targets, weights = problem(n, items, seed=seed)
    ours = losses.full_softmax(x, w, targets, weights, chunk=chunk)
    plain = plain_softmax(x, w, targets, weights)
    assert ours.item() == pytest.approx(plain.item(), rel=1e-5, abs=1e-6)
    for mine, theirs in zip(gradients(3 * ours, x, w), gradients(3 * plain, x, w), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_full_softmax_without_weights_is_the_mean() -> None:
    x, w, targets, _ = problem(33, 20)
    plain = functional.cross_entropy(x @ w.T, targets)
    assert float(losses.full_softmax(x, w, targets, chunk=8)) == pytest.approx(
        plain.item(), rel=1e-5, abs=1e-6
    )


def test_full_softmax_in_bfloat16_is_near() -> None:
    x, w, targets, weights = problem(700, 50, width=16)
    half = losses.full_softmax(x, w, targets, weights, half=True)
    plain = plain_softmax(x, w, targets, weights)
    assert half.item() == pytest.approx(plain.item(), rel=0.01)
    for mine, theirs in zip(gradients(half, x, w), gradients(plain, x, w), strict=True):
        assert mine.dtype == np.float32
        assert np.linalg.norm(mine - theirs) < 0.02 * np.linalg.norm(theirs)


def brute_sampled(
    x: Tensor, w: Tensor, targets: Tensor, negatives: Tensor, log_q: Tensor, weights: Tensor
) -> Tensor:
    rows = []
    for row, target in enumerate(targets.tolist()):
        total = torch.exp(x[row] @ w[target])
        for negative in negatives.tolist():
            if negative != target:
                total = total + torch.exp(x[row] @ w[negative]) / (
                    len(negatives) * torch.exp(log_q[negative])
                )
        rows.append(weights[row] * (torch.log(total) - x[row] @ w[target]))
    return torch.stack(rows).mean()


def test_sampled_softmax_equals_brute_force() -> None:
    x, w, targets, weights = problem(7, 9)
    q = torch.arange(1, 10, dtype=torch.float32)
    log_q = (q / q.sum()).log()
    negatives = torch.tensor([0, 3, 3, 8, 1])
    ours = losses.sampled_softmax(x, w, targets, negatives, log_q, weights)
    plain = brute_sampled(x, w, targets, negatives, log_q, weights)
    assert ours.item() == pytest.approx(plain.item(), rel=1e-5, abs=1e-6)
    for mine, theirs in zip(gradients(ours, x, w), gradients(plain, x, w), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)


def test_logq_correction_recovers_the_gradient_of_the_full_softmax() -> None:
    """Averaged over draws, with strongly uneven probabilities; without the correction it is far off."""
    x, w, targets, weights = problem(12, 40, seed=3)
    rng = np.random.default_rng(0)
    q = np.exp(rng.normal(size=40) * 1.5)
    q /= q.sum()
    log_q = torch.tensor(np.log(q), dtype=torch.float32)
    full = np.concatenate([part.ravel() for part in gradients(plain_softmax(x, w, targets, weights), x, w)])

    def average(told: Tensor) -> np.ndarray:
        total = np.zeros_like(full)
        for _ in range(60):
            drawn = torch.tensor(rng.choice(40, 2000, p=q))
            loss = losses.sampled_softmax(x, w, targets, drawn, told, weights)
            total += np.concatenate([part.ravel() for part in gradients(loss, x, w)])
        return total / 60

    def error(estimate: np.ndarray) -> float:
        return float(np.linalg.norm(estimate - full) / np.linalg.norm(full))

    uniform = torch.full((40,), -float(np.log(40)))
    assert error(average(log_q)) < 0.03
    assert error(average(uniform)) > 0.3


@pytest.mark.parametrize("t", [0.0, 0.75, 1.0])
def test_gbce_equals_brute_force(t: float) -> None:
    x, w, targets, weights = problem(6, 21)
    negatives = torch.tensor([0, 4, 4, 20, 7])
    alpha = 5 / 20
    beta = alpha * (t * (1 - 1 / alpha) + 1 / alpha)
    scores = x @ w.T
    rows = []
    for row, target in enumerate(targets.tolist()):
        own = -beta * torch.log(torch.sigmoid(scores[row, target]))
        others = [
            -torch.log(1 - torch.sigmoid(scores[row, negative]))
            for negative in negatives.tolist()
            if negative != target
        ]
        rows.append(weights[row] * (own + sum(others)))
    plain = torch.stack(rows).mean()
    ours = losses.gbce(x, w, targets, negatives, weights, t=t)
    assert ours.item() == pytest.approx(plain.item(), rel=1e-4)
    for mine, theirs in zip(gradients(ours, x, w), gradients(plain, x, w), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-3, atol=1e-5)


def test_gbce_calibration_runs_from_plain_to_the_sampling_rate() -> None:
    """beta is 1 at t = 0 and the sampling rate at t = 1 (Petrov and Macdonald 2023)."""
    x = torch.tensor([[2.0]])
    w = torch.tensor([[1.0], [-30.0], [-30.0], [-30.0], [-30.0]])
    own = float(functional.softplus(torch.tensor(-2.0)))
    drawn = torch.tensor([1, 2])
    target = torch.tensor([0])
    assert float(losses.gbce(x, w, target, drawn, t=0.0)) == pytest.approx(own, rel=1e-4)
    assert float(losses.gbce(x, w, target, drawn, t=1.0)) == pytest.approx(own * 2 / 4, rel=1e-4)


def test_squared_error_by_hand() -> None:
    predicted = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    loss = losses.squared_error(predicted, torch.tensor([1.0, 4.0, 1.0]), torch.tensor([5.0, 1.0, 2.0]))
    assert loss.item() == pytest.approx((0 + 4 + 18) / 3)
    np.testing.assert_allclose(gradients(loss, predicted)[0], [0, -4 / 3, 4])


@pytest.mark.parametrize("kind", ["full", "sampled", "gbce"])
def test_a_weight_of_two_is_the_example_twice(kind: str) -> None:
    x, w, targets, _ = problem(4, 11)
    negatives, log_q = torch.tensor([1, 5, 9]), torch.full((11,), -float(np.log(11)))

    def loss(rows: list[int], weights: list[float]) -> float:
        told = torch.tensor(weights)
        if kind == "full":
            value = losses.full_softmax(x[rows], w, targets[rows], told)
        elif kind == "sampled":
            value = losses.sampled_softmax(x[rows], w, targets[rows], negatives, log_q, told)
        else:
            value = losses.gbce(x[rows], w, targets[rows], negatives, told)
        return value.item() * len(rows)

    assert loss([0, 1], [2.0, 0.0]) == pytest.approx(loss([0, 0], [1.0, 1.0]), rel=1e-5)
