"""Causal graphs in the languages of Mermaid and Graphviz."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Edges = Iterable[tuple[str, str]]

_ENTITIES = str.maketrans({"#": "#35;", '"': "#quot;", "<": "#lt;", ">": "#gt;", "`": "#96;", "&": "#amp;"})
"""Characters that Mermaid takes for entities, ends of text, HTML or Markdown, as entities of its own."""


def mermaid(nodes: Sequence[str], directed: Edges, bidirected: Edges) -> str:
    """A Mermaid flowchart: hidden common causes are dotted arrows with two heads."""
    key = {name: f"v{place}" for place, name in enumerate(nodes)}
    label = {name: name.translate(_ENTITIES) for name in nodes}
    lines = ["flowchart LR", *(f'  {key[name]}["{label[name]}"]' for name in nodes)]
    lines += [f"  {key[a]} --> {key[b]}" for a, b in directed]
    lines += [f"  {key[a]} <-.-> {key[b]}" for a, b in bidirected]
    return "\n".join(lines)


def graphviz(nodes: Sequence[str], directed: Edges, bidirected: Edges) -> str:
    """A Graphviz digraph: hidden common causes are dashed arrows with two heads."""
    word = {name: '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"' for name in nodes}
    lines = ["digraph {", "  rankdir=LR;", *(f"  {word[name]};" for name in nodes)]
    lines += [f"  {word[a]} -> {word[b]};" for a, b in directed]
    lines += [f"  {word[a]} -> {word[b]} [dir=both, style=dashed, constraint=false];" for a, b in bidirected]
    return "\n".join([*lines, "}"])
