"""The settings of the sections `[finetune]` and `[finetune_ranker]`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt

from equipoise.component import Component


class Budget(Component):
    """What every training of a pretrained model is told: how long, in which steps, and when to stop."""

    minutes: PositiveFloat = 10.0
    """Longest time of training, its checks included; what fits is planned from two trial steps. How many steps that was
    stands in the manifest: with `steps` set to it, and time enough, another machine does the same."""
    steps: PositiveInt = 2_000
    """Most steps, whatever time is left."""
    batch: PositiveInt = 4
    """Examples per step."""
    learning_rate: PositiveFloat | None = None
    """Highest step size of AdamW; by default 5e-5 for all weights and 5e-4 for low-rank ones."""
    warmup: float = Field(0.1, ge=0, lt=1)
    """Share of the steps in which the step size rises; then it falls to 0."""
    weight_decay: float = Field(0.01, ge=0)
    """Decay of AdamW."""
    rank: PositiveInt = 8
    """Rank of low-rank additions to the linear layers (Hu et al. 2022), which are scaled by 2."""
    checks: PositiveInt = 5
    """How often validation is looked at, evenly over the steps."""
    patience: PositiveInt = 2
    """Training stops after so many checks without a better one."""

    @property
    def rate(self) -> float:
        """The highest step size, where none is given that of low-rank additions."""
        return self.learning_rate or 5e-4


class FineTuning(Budget):
    """`[finetune]`: how the text encoder learns from what people chose one after another.

    The defaults suit titles on two cores: a step of 32 pairs takes half a second.
    """

    name: ClassVar[str] = "finetune"

    method: Literal["full", "lora"] = "full"
    """Which weights move: all, or only low-rank additions to the linear layers (Hu et al. 2022)."""
    batch: int = Field(32, ge=2)
    """Pairs per step; each pair's negatives are the others."""
    window: PositiveInt = 3
    """Two items of a user are a pair if at most so many places apart in the history..."""
    days: float = Field(30.0, gt=0, le=100_000)
    """...and, where the log has timestamps, at most so many days."""
    temperature: PositiveFloat = 0.05
    """What cosines are divided by before the softmax."""
    popularity: bool = True
    """Whether negatives are corrected for how often they are drawn (Yi et al. 2019)."""
    tokens: PositiveInt = 64
    """Word pieces of a text that training looks at; vectors are made of all that the model reads."""
    k: PositiveInt = 20
    """A held-out item counts as found if it is among so many nearest to the one before it."""
    held_out: int = Field(1_000, ge=4)
    """Most held-out pairs that are looked at."""
    candidates: PositiveInt = 2_000
    """Texts among which the held-out ones are to be found: all of these, filled up by a draw from the catalogue."""

    @property
    def rate(self) -> float:
        """The highest step size, where none is given that of the method."""
        return self.learning_rate or {"full": 5e-5, "lora": 5e-4}[self.method]


class RankerTuning(Budget):
    """`[finetune_ranker]`: how the language model of an `llm_ranker` learns to put candidates in order.

    Low-rank additions to its linear layers move, and nothing else.
    """

    name: ClassVar[str] = "finetune_ranker"

    minutes: PositiveFloat = 60.0
    """Longest time of training, its checks included; what fits is planned from two trial steps."""
    steps: PositiveInt = 200
    """Most steps, whatever time is left."""
    candidates: int = Field(8, ge=2)
    """Candidates that a training question holds, the chosen one among them; the others are drawn from the base's pool.
    Fewer than the ranker asks with are quicker, and leave the question otherwise as it is."""
    temperature: PositiveFloat = 1.0
    """What scores of candidates are divided by before the softmax."""
    users: int = Field(2_000, ge=1)
    """Most users whose last choice is learned from."""
    held_out: int = Field(60, ge=4)
    """Most further users who are judged by: half of them tell when to stop, the other half what was gained. Only those
    whose last choice is among the base's candidates count, since nothing changes for the others."""
    k: PositiveInt = 10
    """NDCG is taken of so many places."""
