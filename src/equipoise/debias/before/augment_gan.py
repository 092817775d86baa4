"""Profiles for groups that have few, made by a generator that plays against a critic."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.debias.after import groups
from equipoise.debias.before.augmentation.adding import COUNTED, MODELLED, added, again, modelled, people
from equipoise.debias.before.augmentation.copying import copying
from equipoise.debias.before.augmentation.profiles import Ints, Profiles, drawn, obstacle
from equipoise.debias.before.augmentation.realism import realism
from equipoise.debias.before.augmentation.shortage import Shortage, shortage
from equipoise.debias.before.augmentation.telling import Verdict, tell_apart
from equipoise.debias.correction import BeforeTraining, Bias, Context
from equipoise.errors import DataError, MissingExtraError
from equipoise.models.recommender import Recommender
from equipoise.progress import track

if TYPE_CHECKING:
    from equipoise.debias.before.augmentation.making import Maker

_WITHHELD = 0.2  # share of each group's profiles that the generator does not learn from
_LEAST = 40  # profiles of all groups together
_FEWEST = 10  # profiles of a group, below which it has none to judge by, and none is made
_FEW = 100  # profiles of a group, below which no classifier could tell much
_ASSUMPTIONS = (
    "Those of a group who are in the log took what the group would take were it larger: what is missing is missing by "
    "chance, not because it was never shown to them. A generator repeats what the log says of a group, its bias too.",
    "Items that nobody of the log took are never made.",
)
_UNCHECKED = (
    "Whether more profiles of a group help it: that shows on held-out people alone.",
    "Whether membership of a real person can be inferred from the made profiles; the nearest real profile is a "
    "weaker check.",
    "Times: a made event has that of a real event with the same item, so that a made profile's order means little.",
    MODELLED,
    COUNTED,
)


@dataclass(frozen=True)
class _Round:
    steps: int
    verdict: Verdict
    copies: bool
    state: dict[str, Any]


class AugmentGAN(BeforeTraining):
    """Made profiles for groups with fewer users or events than the largest one.

    A conditional generator over sets of items (given group and length, in a low-rank space of the log's items) first
    learns by likelihood, then plays rounds against a critic. After each round a fresh classifier, cross-fitted over
    profiles, tries to tell made ones from the real ones of the groups concerned; the game ends when the 95 % interval
    of its area under the ROC curve reaches down to 0.5, or when the rounds are over; kept is the state of which the
    area is nearest to 0.5, among those that do not copy where there are some. What is made gets ids and rows of its
    own, with `synthetic` true. Groups with fewer than 10 profiles get none.

    It has to beat plain up-sampling (`balanced_sampling` by group) and `reweigh`, or is not worth its cost.
    Conditional generative adversarial networks: Mirza and Osindero (2014); for profiles of users: Chae et al. (2018),
    "CFGAN". A fifth of each group's profiles is kept from the generator, to judge likelihood and copying by.
    """

    name: ClassVar[str] = "augment_gan"
    against: ClassVar[tuple[Bias, ...]] = ("group gap",)

    attribute: str | None = None
    """Column of users that names their group; None for the first sensitive one."""
    counted: Literal["events", "users"] = "events"
    """What a group may have too few of: pairs of users and items, or users."""
    share: float = Field(1.0, gt=0, le=1)
    """What each group is brought to, as a share of what the largest has."""
    most: float = Field(5.0, gt=0)
    """Made profiles per real one of the group at most."""
    epochs: int = Field(40, ge=1)
    """Passes over the real profiles by likelihood, of which the best is kept; it ends early where none is better."""
    rounds: int = Field(1, ge=0)
    """Rounds of the game at most. In worlds with planted minorities more than one made nothing better, at twice the
    cost."""
    steps: int = Field(100, ge=1)
    """Steps of generator and critic in a round."""
    weight: float = Field(1.0, ge=0)
    """Of the critic's verdict beside the likelihood per item; 0 for no game."""

    def obstacle(self, data: Dataset, recommender: Recommender) -> str | None:
        """See `Correction.obstacle`."""
        return obstacle(data, self.attribute)

    def transform(self, data: Dataset, context: Context) -> Dataset:
        """See `BeforeTraining.transform`.

        Raises:
            DataError: if users cannot be told apart, or fewer than 40 of them took something.
            MissingExtraError: if torch is not installed.
        """
        real = Profiles.of(data, self.attribute)
        plan = shortage(real, self.counted, self.share, self.most)
        left_out = [
            name
            for name, making, users in zip(real.names, plan.making, plan.users, strict=True)
            if making and users < _FEWEST
        ]
        plan = replace(plan, making=np.where(plan.users < _FEWEST, 0, plan.making))
        said = [*_left_out(left_out), *again(data)]
        runtime = _own(context.runtime)
        if not plan.making.any():
            none = "No group has fewer than the others by a profile, so that none was made."
            context.report(self, **_counts(real, plan), warnings=said if left_out else [none, *said])
            return data
        if len(real) < _LEAST:
            raise DataError(
                f"{len(real)} profiles are too few to learn from", todo=f"Give at least {_LEAST}."
            )
        maker, rounds, withheld = self._played(real, plan, runtime)
        maker.restore(_best(rounds).state)
        judged = plan.making[real.group] > 0
        twins = maker.draw(real.group, real.lengths, "final")
        verdict = tell_apart(twins, real, judged, replace(runtime, seed=runtime.seed + 1))
        made = maker.draw(*_wanted(real, plan, runtime), "made")
        concerned = real.take(judged)
        copied = copying(made, real.take(~withheld), real.take(withheld & judged))
        alike = (
            verdict.covers_chance if verdict.profiles >= _FEW else None
        )  # few cannot be told whatever they are
        context.report(
            self,
            **_counts(real, plan),
            game=[{"steps": one.steps, "copies": one.copies, **one.verdict.plain()} for one in rounds],
            two_sample=verdict.plain(),
            two_sample_of_popularity_alone=_control(real, judged, runtime).plain(),
            realism=realism(twins.take(judged), concerned, runtime.rng("halves")),
            copying=copied,
            card={
                "assumptions": list(_ASSUMPTIONS),
                "checks": {"cannot_be_told_apart": alike, "copies": copied["copies"]},
                "unchecked": list(_UNCHECKED),
            },
            warnings=[*self._warnings(real, plan, verdict, copied), *said],
        )
        column = groups.attribute_of(data, self.attribute)
        assert column is not None
        values = pl.Series(real.names, dtype=pl.String).gather(made.group)
        return added(data, modelled(data, made, runtime.rng("rows")), people(data, column, values))

    def _played(
        self, real: Profiles, plan: Shortage, runtime: Runtime
    ) -> tuple[Maker, list[_Round], NDArray[np.bool_]]:
        """The generator, what each round came to, and which profiles it did not see."""
        try:
            from equipoise.debias.before.augmentation.making import Maker
        except ModuleNotFoundError as error:
            raise MissingExtraError("torch", extra="llm", purpose=f"The correction '{self.name}'") from error
        withheld = _withheld(real, runtime)
        maker = Maker(real.take(~withheld), self.weight, runtime)
        maker.learn(self.epochs, real.take(withheld))
        judged, found = plan.making[real.group] > 0, list[_Round]()
        for number in track(range(self.rounds + 1), "making profiles", show=runtime.progress):
            if number:
                maker.play(self.steps)
            made = maker.draw(real.group, real.lengths, "round", number)
            verdict = tell_apart(made, real, judged, runtime)
            copied = copying(made.take(judged), real.take(~withheld), real.take(withheld & judged))
            found.append(_Round(number * self.steps, verdict, copied["copies"], maker.state()))
            if verdict.low <= 0.5 or self.weight == 0:
                break
        return maker, found, withheld

    def _warnings(
        self, real: Profiles, plan: Shortage, verdict: Verdict, copied: dict[str, Any]
    ) -> list[str]:
        said = []
        if verdict.high < 0.5:
            said.append(
                f"A classifier takes made profiles for real ones and real ones for made (area under the ROC curve "
                f"{verdict.auc:.3f}, 95 % interval {verdict.low:.3f} to {verdict.high:.3f}), which speaks of copies."
            )
        if verdict.low > 0.5:
            said.append(
                f"A classifier still tells made profiles from real ones (area under the ROC curve {verdict.auc:.3f}, "
                f"95 % interval {verdict.low:.3f} to {verdict.high:.3f}): a model may learn what nobody does."
            )
        if verdict.profiles < _FEW:
            said.append(
                f"Only {verdict.profiles} real profiles of these groups were there to compare with: that a classifier "
                "cannot tell means little."
            )
        if copied["copies"]:
            said.append(
                f"{copied['share_beyond']:.0%} of the made profiles are nearer to one that was learned from than "
                f"{1 - copied['expected']:.0%} of the people withheld are: the generator copies."
            )
        if (capped := plan.making < plan.lacking).any():
            names = ", ".join(name for name, less in zip(real.names, capped, strict=True) if less)
            said.append(
                f"{names}: what is lacking is more than {self.most:g} made profiles per real one, and is not made "
                "in full."
            )
        return said


def _best(rounds: list[_Round]) -> _Round:
    """The one nearest to what cannot be told apart, among those that do not copy where there are some."""
    return min(rounds, key=lambda one: (one.copies, abs(one.verdict.auc - 0.5)))


def _left_out(names: list[str]) -> list[str]:
    if not names:
        return []
    return [
        f"{', '.join(names)}: fewer than {_FEWEST} people took something, too few to judge made profiles by, so that "
        "none was made."
    ]


def _own(runtime: Runtime) -> Runtime:
    """Random numbers of its own, whatever else the run draws."""
    return replace(runtime, seed=int(runtime.rng(AugmentGAN.name).integers(2**31)))


def _withheld(real: Profiles, runtime: Runtime) -> NDArray[np.bool_]:
    """A fifth of the profiles of each group, at least one and never all."""
    withheld = np.zeros(len(real), dtype=bool)
    rng = runtime.rng("withheld")
    for group in range(len(real.names)):
        rows = rng.permutation(np.flatnonzero(real.group == group))
        withheld[rows[: max(round(_WITHHELD * len(rows)), min(len(rows) - 1, 1))]] = True
    return withheld


def _wanted(real: Profiles, plan: Shortage, runtime: Runtime) -> tuple[Ints, Ints]:
    """Group and length of each profile to be made; lengths are those of real ones of the group."""
    group = np.repeat(np.arange(len(real.names)), plan.making)
    lengths, rng = np.empty(len(group), dtype=np.int64), runtime.rng("lengths")
    for code in np.unique(group):
        own = real.lengths[real.group == code]
        rows = group == code
        lengths[rows] = np.sort(own)[rng.integers(0, len(own), int(rows.sum()))]
    return group, lengths


def _control(real: Profiles, judged: NDArray[np.bool_], runtime: Runtime) -> Verdict:
    """How well profiles are told that follow the popularity within each group, and nothing else."""
    counts = np.zeros((len(real.names), real.matrix.shape[1]))
    np.add.at(counts, (np.repeat(real.group, real.lengths), real.matrix.indices), 1.0)
    shares = np.log(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1) + 1e-9)
    plain = drawn(shares[real.group], real.lengths, runtime.rng("control"))
    return tell_apart(real.made(plain, real.group), real, judged, runtime)


def _counts(real: Profiles, plan: Shortage) -> dict[str, Any]:
    columns = {"users": plan.users, "events": plan.events, "lacking": plan.lacking, "made": plan.making}
    rows = zip(*(values.tolist() for values in columns.values()), strict=True)
    return {
        "groups": {
            name: dict(zip(columns, row, strict=True)) for name, row in zip(real.names, rows, strict=True)
        },
        "made": int(plan.making.sum()),
    }
