"""What an explanation says: plain data, so that a page, a text or an audit can be made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from equipoise.explain.sensitive.result import Sensitive

Kind = Literal["interaction", "search", "word", "attribute"]
Asked = Literal["user", "stranger", "unknown"]

AS: Mapping[Asked, str] = {
    "stranger": "The model keeps a learned vector of this user, which no shorter history changes: the reasons are what "
    "the same history says of somebody new.",
    "unknown": "The model does not know this user.",
}
"""What a reader must know, by `Explanation.asked_as`."""


@dataclass(frozen=True)
class Reason:
    """Something that carried the score of an item.

    Attributes:
        kind: A past interaction with an item, a past search, a word of the item's text, or an attribute of the item.
        name: Id of the past item, the text of the search, the word, or the attribute's column.
        value: The past item's title, the attribute's value; None where there is nothing to add.
        contribution: How much of the score would be missing without it, in units of the score; may be negative.
        share: Its part of the sum of all positive contributions of the past, or of the texts, or of the attributes,
            in [0, 1]; 0 for a negative one.
        event_value: What the past event carried last (the log's `value`, such as a rating); None where nothing was. A
            model that learns from choices counts a low rating as a choice.
    """

    kind: Kind
    name: str
    value: str | None
    contribution: float
    share: float
    event_value: float | None = None


@dataclass(frozen=True)
class Counterfactual:
    """Past interactions without which the item would not have been recommended.

    Attributes:
        removed: Ids of past items and texts of past searches, in the order of the history; empty where no set was
            found.
        rank: Rank of the item without them, from 1; None where no set was found.
        instead: Who stands in the item's old place then; None where no set was found.
        irreducible: Whether it was verified that no proper subset suffices.
        forwards: How many histories the model answered in the search.
        says: Why no set was found, or why it may not be irreducible; empty where all went well.
        titles: Titles of `removed`, None where one has none.
        instead_title: Title of `instead`, where it has one.
    """

    removed: tuple[str, ...]
    rank: int | None
    instead: str | None
    irreducible: bool
    forwards: int
    says: str = ""
    titles: tuple[str | None, ...] = ()
    instead_title: str | None = None

    @property
    def found(self) -> bool:
        """Whether there is such a set."""
        return bool(self.removed)


@dataclass(frozen=True)
class Explanation:
    """Why an item stands in a user's list.

    Attributes:
        user: Whose list; None for a history without a user.
        item: The item.
        title: Its title, where it has one.
        rank: Its place among all items the user has not seen, from 1.
        score: The model's score.
        k: The list length that the counterfactual is about.
        reasons: What carried the score, the largest contribution first.
        counterfactual: What would have kept the item out of the list; None where it was not asked for.
        asked_as: As whom the model was asked: the user, or the history without a user; somebody new with the same
            history, where the model keeps a learned vector of the user; somebody new without a past, where it knows
            no such user.
        notes: What a reader must know, in sentences.
        sensitive: What of the score runs along which path from a sensitive attribute of the user; None where it was
            not asked for.
        unaided: Place that the item would have without any of the past; None where there is no past, and where a
            counterfactual was asked for, which tells more.
    """

    user: str | None
    item: str
    title: str | None
    rank: int
    score: float
    k: int
    reasons: tuple[Reason, ...]
    counterfactual: Counterfactual | None = None
    asked_as: Asked = "user"
    notes: tuple[str, ...] = ()
    sensitive: Sensitive | None = None
    unaided: int | None = None

    @property
    def listed(self) -> bool:
        """Whether the item is in the list."""
        return self.rank <= self.k

    @property
    def listed_anyway(self) -> bool:
        """Whether it is, and is known to be there without any of the past too."""
        return self.listed and self.unaided is not None and self.unaided <= self.k

    @property
    def carried(self) -> bool:
        """Whether the past may be why the item is in the list."""
        return self.listed and not self.listed_anyway

    def as_dict(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)
