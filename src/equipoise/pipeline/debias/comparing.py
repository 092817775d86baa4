"""All rows on one ground: trained seed by seed, kept as they finish, then put side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from equipoise.errors import EquipoiseError
from equipoise.pipeline.causal.writing import Say
from equipoise.pipeline.debias.advice import CARES, findings, recommendation
from equipoise.pipeline.debias.front import front
from equipoise.pipeline.debias.ground import Ground
from equipoise.pipeline.debias.leakage import Attack
from equipoise.pipeline.debias.rows import rows, strongest
from equipoise.pipeline.debias.sample import Sample
from equipoise.pipeline.debias.store import Store, key
from equipoise.pipeline.debias.systems import BASE, System
from equipoise.pipeline.debias.trial import Trained, Trial, train, trial

_NAME = 18  # characters of a name in a line of progress


@dataclass(frozen=True)
class Trials:
    """Everything that was trained.

    Attributes:
        systems: The rows that could be, in order.
        by_name: Row to its trainings, by seed.
        failed: Corrections that gave up, as `method` and `reason`.
    """

    systems: list[System]
    by_name: dict[str, list[Trial]]
    failed: list[dict[str, str]]


def train_all(
    ground: Ground, systems: Sequence[System], seeds: int, store: Store, say: Say, prefix: str = ""
) -> Trials:
    """Train every row for every seed, or take what is kept of an earlier call.

    A correction that gives up (a target that cannot be reached, weights that explode) is left out with its reason;
    the base must not.

    Raises:
        EquipoiseError: if the base cannot be trained or measured.
    """
    attack = Attack(ground)
    found: dict[str, list[Trial]] = {system.name: [] for system in systems}
    failed: dict[str, str] = {}
    total, done = len(systems) * seeds, 0
    for seed in range(seeds):
        names = {system.name: key(ground.fingerprint, system, seed) for system in systems}
        base = _base(ground, systems[0], seed, store, names[BASE])
        for system in systems:
            done += 1
            if system.name in failed:
                continue
            said = f"{prefix}{done}/{total}".ljust(10) + f"{system.name}, training {seed + 1}: "
            one = store.trial(names[system.name])
            if one is None:
                started = time.perf_counter()
                try:
                    one = trial(system, ground, seed, attack, base)
                except EquipoiseError as error:
                    if system.kind in ("base", "reference"):
                        raise
                    failed[system.name] = error.paragraph
                    say(f"{said}left out. {error.paragraph}")
                    continue
                store.keep(names[system.name], one)
                say(said + _spent(one, time.perf_counter() - started))
            else:
                say(f"{said}kept from before")
            found[system.name].append(one)
        store.checkpoint(names[BASE]).unlink(missing_ok=True)
    return Trials(
        [system for system in systems if system.name not in failed],
        {name: many for name, many in found.items() if name not in failed},
        [{"method": name, "reason": reason} for name, reason in failed.items()],
    )


def compare(ground: Ground, trials: Trials) -> dict[str, Any]:
    """The rows with their numbers, what validation says of each correction, what to pick, and the front.

    Returns:
        `rows`, `accuracy` (which measure stands for accuracy when choosing), `cares`, `recommendation`, `front`;
        each row of a correction has its `findings`.
    """
    tested = [system.name for system in trials.systems if system.kind in ("method", "configured")]
    told = rows(ground, trials.systems, trials.by_name, tested)
    leaks = {row["name"]: strongest(row["leakage"]) for row in told}
    samples = {part: Sample.of(ground, part, trials.by_name) for part in ("valid", "test")}
    found = findings(samples["valid"], ground.accuracy, leaks, tested)
    for row in told:
        row["findings"] = found.get(row["name"], [])
        row["strongest"] = leaks[row["name"]]
    known = {"accuracy", "bias"} | ({"gap"} if ground.groups else set())
    known |= {"leakage"} if leaks[BASE] is not None else set()
    cares = [care for care in CARES if care in known]
    measure = "true_ndcg" if ground.prepared.world is not None else ground.accuracy
    return {
        "rows": told,
        "accuracy": ground.accuracy,
        "cares": cares,
        "recommendation": recommendation(found, cares),
        "front": front(samples["test"], measure, leaks, [BASE, *tested]),
    }


def _base(ground: Ground, system: System, seed: int, store: Store, name: str) -> Any:
    """Gives the base of one seed, trained when it is first asked for.

    Its training is kept until all rows of the seed are finished: those that only re-rank its lists need it, also
    after an interruption.
    """

    @cache
    def trained() -> Trained:
        known = store.trial(name)
        checkpoint = store.checkpoint(name)
        if known is None:
            checkpoint.unlink(missing_ok=True)  # half a training would be timed as half of one
        one = train(system, ground, seed, checkpoint)
        return one if known is None else replace(one, seconds=known.facts["seconds"])

    return trained


def _spent(one: Trial, seconds: float) -> str:
    parts = [
        f"{name} {value:,.1f} s"
        for name, value in (("training", one.facts["seconds"]), ("attackers", one.facts["attacking"]))
        if value is not None and value >= 0.05
    ]
    return f"{seconds:,.1f} s" + (f" ({', '.join(parts)})" if parts else "")
