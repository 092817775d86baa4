"""Generator, encoder and critic of profiles: small networks between a low-rank space and sets of items."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

_TEMPERATURE = 0.5
_SLOPE = 0.1


class Generator(nn.Module):
    """From noise, group and length to how fast each item comes, as logarithms of rates.

    A profile of n items is drawn as the first n arrivals, item i at the rate `exp(logit_i)`: a sample without
    replacement, whose likelihood would be a sum over orders. What is learned by is another law of the same rates, that
    of what has arrived by time 1 (`arrivals`), which has a closed form; its number of items is n on average only.

    Args:
        factors: Item factors of the log, (items, rank): where the map from users to items begins.
        bias: Logarithms of rates at which items come to each group on average, (groups, items).
        noise: Width of the noise.
        hidden: Width of the layers between.
    """

    def __init__(self, factors: Tensor, bias: Tensor, noise: int, hidden: int) -> None:
        super().__init__()
        self.noise = noise
        self.body = nn.Sequential(
            nn.Linear(noise + len(bias) + 1, hidden), nn.SiLU(), nn.Linear(hidden, factors.shape[1])
        )
        self.items = nn.Parameter(factors.clone())
        self.bias = nn.Parameter(bias.clone())

    def forward(self, noise: Tensor, condition: Tensor) -> Tensor:
        """Logits, (profiles, items).

        Args:
            noise: Standard normal, (profiles, noise).
            condition: Group as ones and zeros, and the standardised log-length last, (profiles, groups + 1).
        """
        taste: Tensor = self.body(torch.cat([noise, condition], dim=1))
        return taste @ self.items.T + condition[:, :-1] @ self.bias + condition[:, -1:]


class Encoder(nn.Module):
    """From a profile to the mean and log-variance of the noise that would make it."""

    def __init__(self, factors: Tensor, groups: int, noise: int, hidden: int) -> None:
        super().__init__()
        self.items = nn.Parameter(factors.clone())
        self.body = nn.Sequential(
            nn.Linear(factors.shape[1] + groups + 1, hidden), nn.SiLU(), nn.Linear(hidden, 2 * noise)
        )

    def forward(self, profiles: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, (profiles, noise) each."""
        mean, spread = self.body(torch.cat([_scaled(profiles) @ self.items, condition], dim=1)).chunk(
            2, dim=1
        )
        return mean, spread.clamp(-8.0, 4.0)


class Critic(nn.Module):
    """How real a profile of this group and length looks.

    It sees a profile by features that stay as they are, in standard deviations of real profiles: where it lies in the
    space of factors, the squares of that, and how popular its items are.

    Args:
        factors: Item factors, (items, rank).
        popularity: Log-popularity of items, standardised, (items,).
        real: Real profiles, (profiles, items).
        groups: Number of groups.
        hidden: Width of its layers.
    """

    factors: Tensor
    popularity: Tensor
    middle: Tensor
    spread: Tensor

    def __init__(self, factors: Tensor, popularity: Tensor, real: Tensor, groups: int, hidden: int) -> None:
        super().__init__()
        self.register_buffer("factors", factors)
        self.register_buffer("popularity", torch.stack([popularity, popularity**2], dim=1))
        described = self._described(real)
        self.register_buffer("middle", described.mean(dim=0))
        self.register_buffer("spread", described.std(dim=0).clamp(min=1e-3))
        self.body = nn.Sequential(
            nn.Linear(len(self.middle) + groups + 1, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, hidden),
            nn.LeakyReLU(0.2),
            nn.Linear(hidden, 1),
        )

    def features(self, profiles: Tensor, condition: Tensor) -> Tensor:
        """What it sees, (profiles, features)."""
        seen = (self._described(profiles) - self.middle) / self.spread
        return torch.cat([seen, condition], dim=1)

    def forward(self, features: Tensor) -> Tensor:
        """One number per profile: the higher, the more real."""
        seen: Tensor = self.body(features)
        return seen[:, 0]

    def _described(self, profiles: Tensor) -> Tensor:
        taste = _scaled(profiles) @ self.factors
        popular = profiles @ self.popularity / profiles.sum(dim=1, keepdim=True).clamp(min=1)
        squares = taste**2
        return torch.cat([taste, squares, squares.sum(dim=1, keepdim=True), popular], dim=1)


def arrivals(logits: Tensor, profiles: Tensor) -> Tensor:
    """Log-likelihood of having arrived by time 1 for the items of a profile, and of not for the others: (profiles,)."""
    rates = logits.clamp(max=6.0).exp()
    come = torch.log(-torch.expm1(-rates.clamp(min=1e-7)))
    return (profiles * (come + rates) - rates).sum(dim=1)


def first_arrivals(logits: Tensor, lengths: Tensor, uniform: Tensor) -> Tensor:
    """Sets of the given lengths as ones and zeros, with gradients of a smooth threshold (straight-through).

    Logits with Gumbel noise beyond the one in place n are drawn without replacement (Kool, van Hoof and Welling
    2019); backwards the step is taken for a sigmoid (Bengio, Leonard and Courville 2013).

    Args:
        logits: (profiles, items).
        lengths: int64, (profiles,), at least 1 and below the number of items.
        uniform: Uniform numbers in (0, 1), (profiles, items).
    """
    keys = logits - torch.log(-torch.log(uniform))
    ordered = keys.detach().sort(dim=1, descending=True).values
    last = ordered.gather(1, lengths[:, None] - 1)
    bar = (last + ordered.gather(1, lengths[:, None])) / 2
    soft = torch.sigmoid((keys - bar) / _TEMPERATURE)
    return (keys >= last).float() + soft - soft.detach()


def divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """Kullback-Leibler divergence of the encoder's normals from the standard one, (profiles,)."""
    return 0.5 * (mean**2 + spread.exp() - 1 - spread).sum(dim=1)


def critic_loss(critic: Critic, real: Tensor, made: Tensor) -> Tensor:
    """Of the original game, not saturating (Goodfellow et al. 2014), with a penalty on the slope at real profiles
    (Mescheder, Geiger and Nowozin 2018, R1).

    Args:
        critic: Which is to learn.
        real: Features of real profiles.
        made: Features of made ones, without gradients.
    """
    real = real.detach().requires_grad_()
    verdict = critic(real)
    (slope,) = torch.autograd.grad(verdict.sum(), real, create_graph=True)
    loss: Tensor = softplus(-verdict).mean() + softplus(critic(made)).mean()
    return loss + _SLOPE / 2 * (slope**2).sum(dim=1).mean()


def generator_loss(made: Tensor) -> Tensor:
    """The other side of `critic_loss`."""
    return softplus(-made).mean()


def _scaled(profiles: Tensor) -> Tensor:
    return profiles / profiles.sum(dim=1, keepdim=True).clamp(min=1).sqrt()
