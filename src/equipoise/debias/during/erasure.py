"""Affine maps after which vectors tell less of a label: closed forms, without training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST = 1e-9  # share of the largest variance below which a direction counts as constant
_ROUNDS = 50
_CLOSE = 1e-9


@dataclass(frozen=True)
class Affine:
    """`vector @ matrix + offset`; matrix of shape (width, width), offset of shape (width,)."""

    matrix: Floats
    offset: Floats

    def __call__(self, vectors: Floats) -> Floats:
        """Shape (n, width) to the same."""
        return vectors @ self.matrix + self.offset

    def then(self, other: Affine) -> Affine:
        """This map, and the other after it."""
        return Affine(self.matrix @ other.matrix, other(self.offset[None])[0])

    def partly(self, share: float) -> Affine:
        """That share of the way, in [0, 1]."""
        matrix = (1 - share) * np.eye(len(self.offset)) + share * self.matrix
        return Affine(matrix, share * self.offset)

    @classmethod
    def unchanged(cls, width: int) -> Affine:
        """The map that changes nothing."""
        return cls(np.eye(width), np.zeros(width))


def distance(vectors: Floats, classes: Ints) -> float:
    """The largest distance between the means of two classes, in standard deviations within classes (Mahalanobis).

    Of two classes of n and m users without any difference, sample means are about sqrt(width (1/n + 1/m)) apart.

    Args:
        vectors: Shape (n, width).
        classes: Class of each, 0 to classes - 1, none empty.
    """
    means = np.stack([vectors[classes == one].mean(axis=0) for one in range(int(classes.max()) + 1)])
    rest = vectors - means[classes]
    variance, axes = np.linalg.eigh(rest.T @ rest / len(rest))
    moving = variance > _LEAST * variance.max()
    placed = means @ (axes[:, moving] / np.sqrt(variance[moving]))
    return float(np.linalg.norm(placed[:, None] - placed[None], axis=2).max())


def least_squares_erasure(vectors: Floats, labels: Floats) -> Affine:
    """The smallest change, in mean squared distance weighted by the vectors' precision, after which no linear
    predictor of the labels beats a constant.

    LEACE (Belrose et al., "LEACE: perfect linear concept erasure in closed form", NeurIPS 2023, theorem 4.3):
    whiten, project off the covariance with the labels, go back. One map for all, which needs no label to be
    applied. On the vectors it was fitted to, the means of all classes are equal.

    Args:
        vectors: Shape (n, width).
        labels: One-hot classes or other numbers, shape (n, labels).
    """
    mean = vectors.mean(axis=0)
    centred = vectors - mean
    variance, axes = np.linalg.eigh(centred.T @ centred / len(vectors))
    moving = variance > _LEAST * variance.max()
    spread = np.sqrt(variance[moving])
    whiten, colour = (
        (axes[:, moving] / spread) @ axes[:, moving].T,
        (axes[:, moving] * spread) @ axes[:, moving].T,
    )
    told = whiten @ (centred.T @ (labels - labels.mean(axis=0)) / len(vectors))
    left, strength, _ = np.linalg.svd(told, full_matrices=False)
    directions = left[:, strength > _LEAST]
    matrix = np.eye(len(mean)) - whiten @ directions @ directions.T @ colour
    return Affine(matrix, mean - mean @ matrix)


def barycentre_maps(vectors: Floats, classes: Ints) -> list[Affine]:
    """For each class the map to what all classes have in common: one mean, one covariance.

    The common Gaussian is the Wasserstein barycentre of the classes' Gaussians, and each class is carried there by
    optimal transport, so that vectors move as little as they can (Agueh and Carlier, "Barycenters in the Wasserstein
    space", 2011, section 6; Álvarez-Esteban et al. 2016 for the fixed point; Chzhen et al. 2020 for transport to a
    barycentre as the least costly fair map). Covariances of small classes are shrunk towards the pooled
    one by `width / (n + width)`, so that they are equal afterwards as far as they can be told.

    Args:
        vectors: Shape (n, width).
        classes: Class of each, 0 to classes - 1, none empty.
    """
    count, width = int(classes.max()) + 1, vectors.shape[1]
    members = [vectors[classes == one] for one in range(count)]
    shares = np.array([len(part) for part in members]) / len(vectors)
    means = [part.mean(axis=0) for part in members]
    scatters = [
        (part - mean).T @ (part - mean) / len(part) for part, mean in zip(members, means, strict=True)
    ]
    pooled = sum(share * scatter for share, scatter in zip(shares, scatters, strict=True))
    variance, axes = np.linalg.eigh(pooled)
    basis = axes[:, variance > _LEAST * variance.max()]
    trust = [len(part) / (len(part) + width) for part in members]
    inside = [
        basis.T @ (t * scatter + (1 - t) * pooled) @ basis for t, scatter in zip(trust, scatters, strict=True)
    ]
    common = _barycentre(inside, shares)
    mean = vectors.mean(axis=0)
    still = np.eye(width) - basis @ basis.T
    maps = []
    for scatter, own in zip(inside, means, strict=True):
        matrix = basis @ _transport(scatter, common) @ basis.T + still
        maps.append(Affine(matrix, mean - own @ matrix))
    return maps


def _barycentre(scatters: list[Floats], shares: Floats) -> Floats:
    """Covariance of the barycentre, by the fixed point that falls at every round."""
    common = np.asarray(sum(share * scatter for share, scatter in zip(shares, scatters, strict=True)))
    for _ in range(_ROUNDS):
        root, inverse = _root(common)
        mixed = sum(share * _root(root @ one @ root)[0] for share, one in zip(shares, scatters, strict=True))
        moved = inverse @ mixed @ mixed @ inverse
        if np.abs(moved - common).max() <= _CLOSE * np.abs(common).max():
            return np.asarray(moved)
        common = moved
    return common


def _transport(one: Floats, other: Floats) -> Floats:
    """Matrix that carries a centred Gaussian of covariance `one` to one of covariance `other`."""
    root, inverse = _root(one)
    return np.asarray(inverse @ _root(root @ other @ root)[0] @ inverse)


def _root(matrix: Floats) -> tuple[Floats, Floats]:
    """Square root of a symmetric positive matrix, and the inverse of that."""
    values, axes = np.linalg.eigh((matrix + matrix.T) / 2)
    spread = np.sqrt(np.maximum(values, _LEAST**2 * max(float(values.max()), 1e-300)))
    return (axes * spread) @ axes.T, (axes / spread) @ axes.T
