"""The training loop: sockets for corrections, early stopping, schedule, parameters, checkpoints."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from torch import Tensor, nn

from equipoise.component import Runtime
from equipoise.data import Dataset
from equipoise.data import vocabulary as v
from equipoise.debias.during import adversaries
from equipoise.debias.during.eraser import Eraser
from equipoise.debias.during.labels import Labels
from equipoise.errors import ModelError
from equipoise.models import Training, loop
from equipoise.models.ease import EASE
from equipoise.models.mf import MF
from equipoise.models.offset import Offset
from equipoise.models.optimised import validation
from equipoise.models.popular import Popular
from equipoise.models.recommender import Fitted
from equipoise.models.sequence import Sequence
from equipoise.models.training import Step
from equipoise.testing import blocks

QUIET = Runtime(seed=3, threads=1, progress=False)
WORLD = blocks()
MODELS = [
    MF(width=4, epochs=3, batch_events=128, warmup=2, precision="float32"),
    Sequence(width=8, blocks=1, length=8, epochs=3, batch_places=128, warmup=2, precision="float32"),
]
each_model = pytest.mark.parametrize("config", MODELS, ids=["mf", "sequence"])


def fit(config: MF | Sequence, **training: object) -> Fitted:
    return config.fit(WORLD.train, training=Training(**training), runtime=QUIET)  # type: ignore[arg-type]


def learned(model: Fitted) -> dict[str, np.ndarray]:
    return {name: array for name, array in model.arrays().items() if name != "log"}


def same(left: Fitted, right: Fitted) -> bool:
    return all(np.array_equal(array, learned(right)[name]) for name, array in learned(left).items())


# Sockets --------------------------------------------------------------------------------------------------------


@each_model
def test_extra_loss_sees_the_batch_and_pulls(config: MF | Sequence) -> None:
    """A strong penalty on representations makes them short."""
    sizes: list[int] = []

    def penalty(step: Step) -> Tensor:
        n = len(step.targets)
        sizes.append(n)
        assert step.users.shape == step.weights.shape == (n,)
        assert step.items.shape == (31, step.representations.shape[1])
        assert "items" in step.parameters
        return 100 * step.parameters["items"].square().mean()

    plain, pulled = fit(config), fit(config, losses=(penalty,))
    assert sum(sizes) == 3 * len(WORLD.train.events)
    name = "network.items" if "network.items" in plain.arrays() else "item_factors"
    width = config.width
    before, after = (np.abs(model.arrays()[name][:, :width]).mean() for model in (plain, pulled))
    assert after < 0.8 * before


@dataclass(frozen=True)
class Adversary:
    """Guesses a user's kind from the representation; with a negative sign it would unlearn it."""

    name: str = "kind"
    seen: tuple[float, ...] = ()

    def build(self, width: int) -> nn.Module:
        return nn.Linear(width, 3)

    def loss(self, network: nn.Module, step: Step) -> Tensor:
        guess = network(step.representations)
        value = nn.functional.cross_entropy(guess, step.users % 3)
        losses.append(value.item())
        return value


losses: list[float] = []


@each_model
def test_heads_are_trained_beside_the_model(config: MF | Sequence) -> None:
    losses.clear()
    longer = config.model_copy(update={"epochs": 15, "learning_rate": 2e-2})
    fit(longer, heads=(Adversary(),))
    assert np.mean(losses[-5:]) < 0.5 * np.mean(losses[:5])


@each_model
def test_gradient_transform_has_the_last_word(config: MF | Sequence) -> None:
    """With all gradients zero nothing is learned: parameters stay as they were drawn."""

    def erase(parameters: list[nn.Parameter]) -> None:
        for parameter in parameters:
            if parameter.grad is not None:
                parameter.grad.zero_()

    still = config.model_copy(update={"epochs": 1})
    longer = config.model_copy(update={"epochs": 3})
    name = "network.items" if config.name == "sequence" else "item_factors"
    one, three = (fit(one, gradient_transform=erase).arrays()[name] for one in (still, longer))
    np.testing.assert_array_equal(one, three)
    assert not np.array_equal(three, fit(longer).arrays()[name])


def test_merged_trainings_do_both() -> None:
    calls: list[str] = []
    left = Training(np.array([1, 2], np.float32), gradient_transform=lambda _: calls.append("left"))
    right = Training(np.array([3, 5], np.float32), gradient_transform=lambda _: calls.append("right"))
    both = left.merged(right)
    assert both.weights is not None
    np.testing.assert_array_equal(both.weights, [3, 10])
    assert both.gradient_transform is not None
    both.gradient_transform([])
    assert calls == ["left", "right"]
    alone = Training().merged(left)
    assert alone.weights is not None
    np.testing.assert_array_equal(alone.weights, [1, 2])
    assert alone.gradient_transform is left.gradient_transform


# Parameters -----------------------------------------------------------------------------------------------------


def test_parameters_go_out_and_in() -> None:
    one, two = nn.Linear(3, 2), nn.Linear(3, 2)
    parameters = loop.get_parameters(one)
    loop.set_parameters(two, parameters)
    assert torch.equal(one.weight, two.weight)
    parameters["weight"][:] = 0
    assert one.weight.abs().sum() > 0  # what was given out is a copy


@pytest.mark.parametrize("change", ["shape", "missing", "extra"])
def test_parameters_that_do_not_fit_are_refused(change: str) -> None:
    network = nn.Linear(3, 2)
    parameters = loop.get_parameters(network)
    if change == "shape":
        parameters["weight"] = np.zeros((2, 4), np.float32)
    elif change == "missing":
        del parameters["bias"]
    else:
        parameters["other"] = np.zeros(1, np.float32)
    with pytest.raises(ModelError, match=r"weight|bias|other"):
        loop.set_parameters(network, parameters)


# The course of a run ----------------------------------------------------------------------------------------------


class Slope(nn.Module):
    """One parameter that falls by the learning rate at each step (AdamW's first steps on a constant gradient)."""

    width = 1

    def __init__(self) -> None:
        super().__init__()
        self.height = nn.Parameter(torch.zeros(1))

    def step(self, batch: int, rng: np.random.Generator) -> tuple[Tensor, Step]:
        none = torch.zeros(1, dtype=torch.long)
        return self.height.sum(), Step(none, none, torch.ones(1), torch.zeros(1, 1), torch.zeros(1, 1), {})


def run(network: nn.Module, validate: object = None, training: Training | None = None, **fields: object):
    config = MF(**{"warmup": 0, "schedule": "constant", "learning_rate": 0.1, "check_every": 1, **fields})
    return loop.optimise(
        network,
        config,
        lambda rng: [0, 1],
        training=training or Training(),
        runtime=QUIET,
        validate=validate,  # type: ignore[arg-type]
    )


def test_constant_rate_walks_evenly() -> None:
    network = Slope()
    log = run(network, epochs=5)
    assert len(log) == 5
    assert network.height.item() == pytest.approx(-0.1 * 10, rel=1e-3)


def test_warm_up_and_cosine() -> None:
    """Rates of four steps after a warm-up of one: a half, then half cosines of a quarter, a half, three quarters."""
    network = Slope()
    run(network, epochs=2, warmup=1, schedule="cosine")
    shares = [0.5, *(0.5 * (1 + np.cos(np.pi * part)) for part in (0.25, 0.5, 0.75))]
    assert network.height.item() == pytest.approx(-0.1 * sum(shares), rel=1e-3)


def test_early_stopping_keeps_the_best() -> None:
    """Validation is best after the third epoch, and gets worse: two epochs later the run ends."""
    network = Slope()
    best = -0.6
    log = run(network, lambda: -abs(network.height.item() - best), epochs=50, patience=2)
    assert len(log) == 5
    assert network.height.item() == pytest.approx(best, abs=1e-3)
    assert int(np.argmax([epoch.validation for epoch in log])) == 2


def test_averaging_trails_behind() -> None:
    plain, averaged = Slope(), Slope()
    run(plain, epochs=5)
    run(averaged, epochs=5, averaging=0.9)
    assert plain.height.item() < averaged.height.item() < 0


def test_overflow_is_an_error() -> None:
    class Broken(Slope):
        def step(self, batch: int, rng: np.random.Generator) -> tuple[Tensor, Step]:
            loss, step = super().step(batch, rng)
            return loss * torch.inf, step

    with pytest.raises(ModelError, match="not finite"):
        run(Broken(), epochs=2)


def test_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    run(Slope(), epochs=1)
    assert torch.get_num_threads() == before


@each_model
def test_validation_is_recorded(config: MF | Sequence) -> None:
    often = config.model_copy(update={"check_every": 1})
    model = often.fit(WORLD.train, valid=WORLD.held_out, vectors=WORLD.vectors, runtime=QUIET)
    log = model.arrays()["log"]
    assert log.shape == (3, 3)
    assert (log[:, 1] > 0).all()
    assert ((log[:, 2] > 0) & (log[:, 2] <= 1)).all()


@pytest.mark.parametrize("config", [*MODELS, EASE()], ids=["mf", "sequence", "ease"])
def test_weights_that_are_all_0_leave_nothing_to_learn(config: MF | Sequence | EASE) -> None:
    silent = Dataset(WORLD.train.events.with_columns(pl.lit(0.0).alias(v.SAMPLE_WEIGHT)))
    with pytest.raises(ModelError, match="All weights are 0"):
        config.fit(silent, vectors=WORLD.vectors, runtime=QUIET)


# Checkpoints ------------------------------------------------------------------------------------------------------


class Interruption(Exception):
    pass


@each_model
def test_interrupted_and_resumed_is_as_uninterrupted(config: MF | Sequence, tmp_path: Path) -> None:
    file = tmp_path / "state" / "run.safetensors"
    longer = config.model_copy(update={"epochs": 4, "averaging": 0.5})
    calls = 0

    def interrupt(parameters: list[nn.Parameter]) -> None:
        nonlocal calls
        calls += 1
        if calls == interrupted_at:
            raise Interruption

    interrupted_at = -1
    whole = fit(longer, gradient_transform=interrupt)
    interrupted_at, calls = calls * 5 // 8, 0  # in the middle of the third epoch
    with pytest.raises(Interruption):
        fit(longer, gradient_transform=interrupt, checkpoint=file)
    calls = -1000
    resumed = fit(longer, gradient_transform=interrupt, checkpoint=file)
    assert -1000 < calls < -1000 + interrupted_at  # the first two epochs were not done again
    assert same(whole, resumed)
    assert [path.name for path in file.parent.iterdir()] == ["run.safetensors"]


def test_checkpoint_of_another_training_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    run(Slope(), training=Training(checkpoint=file), epochs=1)
    with pytest.raises(ModelError, match="other settings"):
        run(Slope(), training=Training(checkpoint=file), epochs=1, learning_rate=0.2)


def offset(edge: float) -> Offset:
    values = np.array([[0.5, 0.0], [0.0, 0.0]], dtype=np.float32)
    return Offset(pl.Series(["a", "b"]), values, np.array([edge]))


def head(strength: float) -> adversaries.Adversary:
    """As `repr` shows it, its codes are the same whatever stands in the middle."""
    codes = np.zeros(5000, dtype=np.int64)
    codes[2500:] = 1
    return adversaries.Adversary("a", codes, 1, strength, 0)


def filtering(moments: str, swapped: bool = False) -> Eraser:
    codes = (np.arange(60) // 30)[:, None]
    users = WORLD.train.events[v.USER].unique().sort()
    return Eraser(Labels(users, 1 - codes if swapped else codes, {"side": ("x", "y")}), moments)  # type: ignore[arg-type]


FEWER = Dataset(WORLD.train.events.with_row_index().filter(pl.col("index") != 50).drop("index"))
UNEVEN = np.linspace(0.5, 1.5, len(WORLD.train.events), dtype=np.float32)


@dataclass
class Pull:
    """A loss that counts its steps."""

    strength: float
    steps: int = field(default=0, compare=False)

    def __call__(self, step: Step) -> torch.Tensor:
        self.steps += 1
        return self.strength * step.items.square().sum()


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({}, {"weights": UNEVEN}),
        ({"weights": UNEVEN}, {"weights": UNEVEN[::-1]}),
        ({}, {"offset": offset(5.0)}),
        ({"offset": offset(5.0)}, {"offset": offset(6.0)}),
        ({"filter": filtering("means")}, {"filter": filtering("covariances")}),
        ({"filter": filtering("means")}, {"filter": filtering("means", swapped=True)}),
        ({"heads": (head(1.0),)}, {"heads": (head(0.0),)}),
        ({"losses": (lambda step: 0 * step.weights.sum(),)}, {}),
        ({"losses": (Pull(0.1),)}, {"losses": (Pull(0.2),)}),
    ],
    ids=["no weights", "weights", "no offset", "edges", "moments", "labels", "heads", "losses", "fields"],
)
def test_checkpoint_of_another_correction_is_refused(
    first: dict[str, object], then: dict[str, object], tmp_path: Path
) -> None:
    state = tmp_path / "run.safetensors"
    kept = fit(MODELS[0], checkpoint=state, **first)
    assert same(kept, fit(MODELS[0], checkpoint=state, **first))
    with pytest.raises(ModelError, match="other corrections"):
        fit(MODELS[0], checkpoint=state, **then)


@each_model
def test_checkpoint_of_other_rows_is_refused(config: MF | Sequence, tmp_path: Path) -> None:
    training = Training(checkpoint=tmp_path / "run.safetensors")
    config.fit(WORLD.train, training=training, runtime=QUIET)
    with pytest.raises(ModelError, match="other data"):
        config.fit(FEWER, training=training, runtime=QUIET)
    with pytest.raises(ModelError, match="other data"):
        config.fit(WORLD.train, valid=WORLD.held_out, training=training, runtime=QUIET)


_FINGERPRINT = """
import numpy, polars
from equipoise.models.identity import identity
from equipoise.models.training import Training

def closed(over):
    return lambda step: over + closed.__code__.co_argcount

class Held:
    def __init__(self):
        self.own, self.rng, self.fun = self, numpy.random.default_rng(), closed({"b", "a", "c"})

print(identity(Training(filter=Held()), polars.Series(["x", None]), numpy.arange(3)))
"""


def test_fingerprints_are_the_same_in_every_process() -> None:
    said = {
        subprocess.run([sys.executable, "-c", _FINGERPRINT], capture_output=True, check=True).stdout
        for _ in range(2)
    }
    assert len(said) == 1
    assert len(said.pop().strip()) == 32


def test_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "run.safetensors"
    file.write_bytes(b"no checkpoint")
    with pytest.raises(ModelError, match="cannot be read"):
        run(Slope(), training=Training(checkpoint=file), epochs=1)


def test_users_without_held_out_events_are_no_validation() -> None:
    nobody = Dataset(WORLD.held_out.events.with_columns(pl.lit("who?").alias(v.USER)))
    model = MODELS[0].fit(WORLD.train, valid=nobody, runtime=QUIET)
    assert np.isnan(model.arrays()["log"][:, 2]).all()


def test_new_items_are_looked_for_among_new_items() -> None:
    """Among all, what training met crowds them out; where one held-out item is known, all are ranked."""
    events = WORLD.train.events
    met = events.filter(pl.col(v.ITEM) != events[v.ITEM][0])
    train = WORLD.train.with_events(met)
    later = train.with_events(events.filter(pl.col(v.ITEM) == events[v.ITEM][0]))
    items = pl.DataFrame({v.ITEM: events[v.ITEM].unique().sort()})
    model = Popular().fit(Dataset(met, None, items))
    config = MF()
    check = validation(later, model.catalogue, config, QUIET)
    assert check is not None
    assert check.candidates is not None
    assert check.candidates.to_list() == [events[v.ITEM][0]]
    assert check(model) == 1.0, "the one new item is found where only new ones are looked at"
    both = train.with_events(pl.concat([later.events, met.head(1)]))
    mixed = validation(both, model.catalogue, config, QUIET)
    assert mixed is not None
    assert mixed.candidates is None
