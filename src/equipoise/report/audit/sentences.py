"""Verdicts, gaps and notes in words: what the evidence says, and no more."""

from __future__ import annotations

import string
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from equipoise.data.vocabulary import UNKNOWN
from equipoise.report.audit.evidence import DIFFERENCES, VERDICTS, Evidence, Row, fair, kind
from equipoise.report.environment import plain
from equipoise.report.languages import Words
from equipoise.report.numbers import count, number, p_value, percent


@dataclass(frozen=True)
class Tally:
    """How many verdicts of each kind, worst first.

    Attributes:
        counts: Key of the verdict ("unfair", "fair", "insufficient") to how many.
    """

    counts: Mapping[str, int]

    @classmethod
    def of(cls, rows: Iterable[Row]) -> Tally:
        """Verdicts of primary gaps."""
        found = Counter(VERDICTS.get(str(row["verdict"])) for row in rows if row.get("verdict"))
        return cls({key: found[key] for key in VERDICTS.values()})

    @property
    def total(self) -> int:
        """All verdicts."""
        return sum(self.counts.values())

    def said(self, words: Words) -> str:
        """In words: "unfair in 2, insufficient evidence in 5 of 7 tests"."""
        told = [
            words("audit.tally", verdict=words(f"audit.verdict.{key}"), n=n)
            for key, n in self.counts.items()
            if n
        ]
        return words("audit.tallies", told=words("audit.comma").join(told), total=self.total)


@dataclass(frozen=True)
class Speaker:
    """Sentences about one evidence in one language."""

    evidence: Evidence
    words: Words

    def shown(self, metric: str) -> str:
        """A metric's name as people write it: "NDCG@10"."""
        base, at, cutoff = metric.partition("@")
        known = self.words.known("metric", base)
        if known == base.replace("_", " "):
            title = self.evidence.facts("definitions").get(base, {}).get("title")
            known = self.words.phrase(title) if title else known
        return known + at + cutoff

    def attribute(self, name: str) -> str:
        """A column's name as words; of an intersection, each of its columns."""
        columns = self.evidence.facts("settings").get("groups") or ()
        parts = [self.words.phrase(part) for part in ([name] if name in columns else name.split(" x "))]
        return " × ".join(part.replace("_", " ") for part in parts)

    def system(self, name: object) -> str:
        """A system's name; what belongs to no system belongs to all."""
        return str(name) if name else self.words("audit.every")

    def group(self, name: object) -> str:
        """A group's name; the group of missing values in words."""
        return self.words("audit.unknown") if name == UNKNOWN else str(name)

    def verdict(self, row: Row) -> str:
        """The verdict exactly as the statistics gave it, in this language."""
        told = str(row.get("verdict") or "")
        return self.words(f"audit.verdict.{VERDICTS[told]}") if told in VERDICTS else told

    def interval(self, row: Row, signed: bool = False) -> str:
        """In words: "0.0012 to 0.0430"; empty without an interval."""
        if row.get("low") is None or row.get("high") is None:
            return ""
        low, high = number(row["low"], signed), number(row["high"], signed)
        return f"{low} {self.words('to')} {high}"

    def headline(self) -> str:
        """All verdicts of audited systems in one line."""
        tally = Tally.of(self.evidence.judged)
        if tally.total == 0:
            return self.words("audit.headline.none")
        said = tally.said(self.words)
        return said[0].upper() + said[1:] + self.words("audit.stop")

    def gap(self, row: Row) -> str:
        """One gap with its interval, tolerance and p."""
        signed = self.signed(row)
        key = "audit.gap" if signed else "audit.gap.kind"
        said = self.words(
            key,
            metric=self.shown(row["metric"]),
            gap=number(row.get("gap"), signed),
            kind=self.words.known("kind", kind(row)),
        )
        if row.get("groups"):
            said += self.words("audit.gap.groups", groups=row["groups"])
        if interval := self.interval(row, signed):
            said += self.words("audit.gap.interval", level=self.share(self.evidence.level), interval=interval)
        if row.get("tolerance") is not None:
            said += self.words("audit.gap.tolerance", tolerance=self.tolerance(row))
        if row.get("p_adjusted") is not None:
            said += self.words("audit.gap.p", p=self.p(row["p_adjusted"]))
        return said

    def signed(self, row: Row) -> bool:
        """Whether a gap says which group is ahead."""
        return kind(row) in DIFFERENCES

    def measured(self, row: Row) -> str:
        """The metric of a gap, with the kind where it is no difference."""
        told = [self.shown(str(row["metric"]))]
        if not self.signed(row):
            told.append(self.words.known("kind", kind(row)))
        return self.words("audit.comma").join(told)

    def tolerance(self, row: Row) -> str:
        """What a gap may be: "± 0.02", "1 ± 0.2" for a ratio; "–" where nobody said."""
        if row.get("tolerance") is None:
            return "–"
        told, middle = number(row["tolerance"]), fair(row)
        if middle is None:
            return self.words("audit.tolerance.short", tolerance=told)
        return (f"{middle:g} " if middle else "") + f"±\u00a0{told}"

    def users(self, row: Row) -> str:
        """Users of the smallest group of a gap: never a number that is too small to be told."""
        least, users = self.evidence.min_cell, row.get("users")
        if self.evidence.hidden(row) or (users is not None and users < least):
            return f"< {least}"
        return "–" if users is None else f"≥ {count(users)}"

    def share(self, value: float | None) -> str:
        """A share as per cent, kept in one line."""
        return percent(value).replace(" ", "\u00a0")

    def p(self, value: float) -> str:
        """A p-value with its sign."""
        told = p_value(value)
        said = self.words("p.small", p=told[2:]) if told.startswith("<") else self.words("p", p=told)
        return said.replace(" ", "\u00a0")

    def reason(self, row: Row) -> str:
        """Why the evidence for a gap is insufficient."""
        tolerance, detectable, middle = row.get("tolerance"), row.get("minimum_detectable"), fair(row)
        if few := self.evidence.hidden_groups(row.get("attribute")):
            names = self.words("audit.comma").join(self.group(group) for group in few[:3])
            return self.words("audit.reason.few", groups=names, n=self.evidence.min_cell)
        if row.get("low") is None:
            return self.words("audit.reason.nothing")
        if middle is None:
            return self.words("audit.reason.open")
        low, high = row["low"] - middle, row["high"] - middle
        outside = low * high > 0 and min(abs(low), abs(high)) > (tolerance or 0.0)
        if tolerance is None:
            key = "audit.reason.p_alone" if outside else "audit.reason.no_tolerance"
            return self.words(key, fair=f"{middle:g}")
        if detectable is not None and detectable > tolerance:
            return self.words(
                "audit.reason.underpowered", detectable=number(detectable), tolerance=number(tolerance)
            )
        if outside:
            return self.words("audit.reason.p")
        return self.words("audit.reason.crosses", tolerance=self.tolerance(row))

    def about(self, rows: list[Row]) -> str:
        """The verdicts of one system and attribute: counts, then the most serious gap."""
        serious = worst_first(rows)[0]
        said = self.words(
            "audit.about",
            attribute=self.attribute(serious["attribute"]),
            told=Tally.of(rows).said(self.words),
        )
        if serious.get("gap") is not None:
            said += self.words("audit.next") + self.gap(serious) + self.words("audit.stop")
        if VERDICTS.get(str(serious["verdict"])) == "insufficient":
            said += self.words("audit.next") + self.reason(serious)
        return said.strip()

    def collapse(self, row: Row) -> str:
        """A system that shows everybody the same, or mostly what is popular, is named."""
        shared, overlap = row.get("shared") or 0.0, row.get("popularity_overlap")
        key = "audit.collapse.alone" if overlap is None else "audit.collapse"
        if overlap is not None and shared < 0.5 <= overlap:
            key = "audit.collapse.popular"
        return self.words(
            key,
            system=row["system"],
            shared=self.share(row.get("shared")),
            overlap=self.share(row.get("popularity_overlap")),
        )

    def coded(self, kind: str, row: Row) -> str:
        """The sentence of a code with its values; unknown codes and values are shown as they are."""
        code, values = str(row.get("code")), dict(row.get("values") or {})
        spoken = {name: self._spoken(name, value) for name, value in values.items()}
        key = f"{kind}.{code}"
        template = self.words.template(key)
        places = {name for _, name, _, _ in string.Formatter().parse(template) if name} if template else set()
        if template is None or not places <= spoken.keys():
            said, left = self.words.known(kind, f"{code}.plain"), spoken
            said = code.replace("_", " ") if said == f"{code}.plain".replace("_", " ") else said
        else:
            said = self.words(key, **spoken)
            left = {name: value for name, value in spoken.items() if name not in places}
        if not left:
            return said
        told = self.words("audit.comma").join(f"{self.words.known('value', k)} {v}" for k, v in left.items())
        return said.rstrip(".。") + self.words("audit.brackets", told=told)

    def _spoken(self, name: str, value: Any) -> str:
        if name == "metric":
            return self.shown(str(value))
        if name == "attribute":
            return self.attribute(str(value))
        if isinstance(value, float):
            return number(value)
        return plain(value, self.words)


def worst_first(rows: Iterable[Row]) -> list[Row]:
    """Gaps by verdict, then by how far the gap is from fair, against its tolerance where it has one."""
    order = list(VERDICTS)

    def place(row: Row) -> tuple[int, float]:
        verdict = str(row.get("verdict"))
        gap, middle = row.get("gap"), fair(row)
        size = -1.0 if gap is None or middle is None else abs(gap - middle)
        return order.index(verdict) if verdict in order else len(order), -size / (row.get("tolerance") or 1.0)

    return sorted(rows, key=place)


def merged(rows: Iterable[Row]) -> list[Row]:
    """What could not be tested, told once: the groups of an attribute together, and systems by the worst of them."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for row in rows:
        code, values = str(row.get("code")), dict(row.get("values") or {})
        if code == "small_group":
            own = found.setdefault((code, str(values.get("attribute"))), {"code": code, "values": values})
            if own["values"] is not values:
                own["values"]["group"] = f"{own['values'].get('group')}, {values.get('group')}"
        elif code == "underpowered":
            place = (code, str(values.get("attribute")), str(values.get("metric")))
            own = found.setdefault(place, {"code": code, "values": values})
            if (values.get("minimum_detectable") or 0) > (own["values"].get("minimum_detectable") or 0):
                own["values"] = values
            own["values"].pop("system", None)
        else:
            found[code, str(len(found))] = {"code": code, "values": values}
    return list(found.values())
