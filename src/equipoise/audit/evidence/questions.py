"""Which part of the evidence speaks to which question of the law, and which questions it leaves open.

A mapping, not a judgement: evidence that speaks to a question does not settle it, and nothing here says that
anything complies. Sources: Regulation (EU) 2022/2065 (Digital Services Act), Regulation (EU) 2024/1689 (AI Act).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

_Evidence = Mapping[str, Any]


@dataclass(frozen=True)
class Question:
    """A question that the law puts to those who run a recommender.

    Attributes:
        law: "DSA" or "AI Act".
        article: Number of the article.
        code: Short name, for which pages hold sentences in each language.
        asks: What the article asks, in a sentence.
        shows: What the evidence can say to it.
        open: What it cannot say.
        sections: Sections of the evidence that speak to it, the first being the one it cannot do without.
    """

    law: str
    article: str
    code: str
    asks: str
    shows: str
    open: str
    sections: tuple[str, ...]


QUESTIONS: Final = (
    Question(
        "DSA",
        "27",
        "main_parameters",
        "Are the main parameters of the recommender system set out in plain language, with the options to change them?",
        "For which share of the recommendations an explanation is given that is faithful to the system.",
        "What the terms and conditions say, and whether the options work.",
        ("transparency",),
    ),
    Question(
        "DSA",
        "34",
        "systemic_risk",
        "Are risks from the system's design assessed, effects on non-discrimination among them?",
        "How far quality and exposure differ between groups, where they differ most, and whether lists give away "
        "who a person is.",
        "Risks that do not show in recommendations and held-out events, and effects over time.",
        ("gaps", "groups", "slices", "lists", "exposure", "provider", "attackers", "concentration"),
    ),
    Question(
        "DSA",
        "35",
        "mitigation",
        "Are the risks mitigated, and is the recommender system tested and adapted to that end?",
        "What changes between the systems compared, in quality and in gaps, on the same people.",
        "Whether a measure is proportionate, and whether it is in use.",
        ("gap_comparisons", "comparisons"),
    ),
    Question(
        "DSA",
        "38",
        "non_profiling",
        "Is there an option that is not based on profiling?",
        "What a list that is the same for everybody (most popular) would give to each group.",
        "Whether such an option is offered and easy to find.",
        ("reference", "overall", "groups"),
    ),
    Question(
        "AI Act",
        "10",
        "data_governance",
        "Are the data examined for possible biases that affect people?",
        "Which tables were used with their hashes, who is missing from them, and how large each group is.",
        "How the data were collected, and biases that are in the held-out events themselves.",
        ("data", "groups", "notes"),
    ),
    Question(
        "AI Act",
        "15",
        "accuracy",
        "Are the levels of accuracy, and the metrics they are told in, declared?",
        "Each metric with its definition, its value and its interval over people.",
        "Robustness against errors and attacks, and accuracy outside the period measured.",
        ("overall", "definitions"),
    ),
)
"""The questions, in the order of the articles."""


def answer(evidence: _Evidence) -> list[dict[str, Any]]:
    """The section `questions` of the evidence.

    Returns:
        law, article, question (code), asks, shows, open, evidence (the sections that speak to it and are there),
        missing (those that are not), answered (whether the section it cannot do without is there).
    """
    rows = []
    for question in QUESTIONS:
        there = [section for section in question.sections if _present(evidence, section)]
        rows.append(
            {
                "law": question.law,
                "article": question.article,
                "question": question.code,
                "asks": question.asks,
                "shows": question.shows,
                "open": question.open,
                "evidence": there,
                "missing": [section for section in question.sections if section not in there],
                "answered": question.sections[0] in there,
            }
        )
    return rows


def _present(evidence: _Evidence, section: str) -> bool:
    special = _SPECIAL.get(section)
    return bool(evidence.get(section)) if special is None else special(evidence)


def _transparency(evidence: _Evidence) -> bool:
    return bool(evidence.get("transparency", {}).get("measured"))


def _reference(evidence: _Evidence) -> bool:
    """Whether most-popular lists were measured beside the audited systems."""
    measured = {row["system"] for row in evidence.get("overall", ())}
    return any(
        system["role"] == "reference" and system["name"] == "TopPop" and system["name"] in measured
        for system in evidence.get("systems", ())
    )


_SPECIAL: Final[dict[str, Callable[[_Evidence], bool]]] = {
    "transparency": _transparency,
    "reference": _reference,
}
