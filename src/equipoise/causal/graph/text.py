"""Causal graphs as text: ``a -> b <- c; a <-> d; e``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from equipoise.causal.graph.errors import GraphError

_TOKEN = re.compile(
    r"""
    (?P<space>[^\S\n]+)
  | (?P<end>[;\n])
  | (?P<arrow><->|->|<-)
  | "(?P<double>[^"\n]+)"
  | '(?P<single>[^'\n]+)'
  | (?P<name>[\w.]+)
    """,
    re.VERBOSE,
)
_PLAIN = re.compile(r"[\w.]+")

Edges = list[tuple[str, str]]


def parse(text: str) -> tuple[list[str], Edges, Edges]:
    """Read the variables, the directed and the bidirected edges of a text.

    Returns:
        Variables in the order of first mention, directed edges (cause, effect), bidirected edges.

    Raises:
        GraphError: if the text names no variable, or holds anything but names and the three arrows.
    """
    nodes: dict[str, None] = {}
    directed: Edges = []
    bidirected: Edges = []
    for statement in _statements(text):
        whole = " ".join(word for _, word in statement)
        for place, (kind, word) in enumerate(statement):
            if kind == "name" and place % 2:
                raise GraphError(
                    f"There is no arrow between '{statement[place - 1][1]}' and '{word}'",
                    where=whole,
                    todo="Write 'a -> b', part statements by ';', and put names that hold spaces in quotes.",
                )
            if kind == "arrow" and (place % 2 == 0 or place == len(statement) - 1):
                raise GraphError(
                    f"The arrow '{word}' has no variable at one of its ends",
                    where=whole,
                    todo="Write 'a -> b', and part statements by ';' or a new line.",
                )
        names = [word for _, word in statement[::2]]
        arrows = [word for _, word in statement[1::2]]
        for left, arrow, right in zip(names[:-1], arrows, names[1:], strict=True):
            if arrow == "<->":
                bidirected.append((left, right))
            else:
                directed.append((left, right) if arrow == "->" else (right, left))
        nodes.update(dict.fromkeys(names))
    if not nodes:
        raise GraphError("The text of the graph names no variable", todo="Write, say, 'age -> click'.")
    return list(nodes), directed, bidirected


def _statements(text: str) -> Iterator[list[tuple[str, str]]]:
    """Statements as lists of (kind, word), where kind is 'name' or 'arrow'."""
    statement: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise GraphError(
                f"The graph cannot be read at '{text[place : place + 12].strip()}'",
                where=f"character {place + 1} of the text",
                todo="Known arrows are '->', '<-' and '<->' (a hidden common cause); quote names that hold "
                "other characters than letters, digits, '_' and '.'.",
            )
        place = match.end()
        kind, word = str(match.lastgroup), str(match.group(str(match.lastgroup)))
        if kind == "end":
            if statement:
                yield statement
            statement = []
        elif kind != "space":
            statement.append(("arrow" if kind == "arrow" else "name", word))
    if statement:
        yield statement


def quoted(name: str) -> str:
    """A name as `parse` reads it."""
    if _PLAIN.fullmatch(name):
        return name
    return f"'{name}'" if '"' in name else f'"{name}"'
