"""Graphs are drawn so that they can be read: causes above effects, no box on another, every edge there."""

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from equipoise.report.causal.arrows import ends
from equipoise.report.causal.layout import HEIGHT, lay_out

NAMES = [f"v{i}" for i in range(9)]
KINDS = ["->", "<->", "--", "o->", "o-o", "o--"]


@st.composite
def graphs(draw):
    nodes = NAMES[: draw(st.integers(1, 9))]
    pairs = list(combinations(nodes, 2))
    chosen = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=18)) if pairs else []
    edges = []
    for first, second in chosen:
        turned = draw(st.booleans())  # cycles may come of it: proposals have them
        one, other = (second, first) if turned else (first, second)
        edges.append({"from": one, "to": other, "kind": draw(st.sampled_from(KINDS))})
    return nodes, edges


@given(graphs())
@settings(max_examples=60, deadline=None)
def test_boxes_lie_apart_and_inside_and_every_edge_is_drawn(graph):
    nodes, edges = graph
    drawing = lay_out(nodes, edges)
    assert {box.name for box in drawing.boxes} == set(nodes)
    assert len(drawing.arrows) == len(edges)
    for box in drawing.boxes:
        assert box.x - box.width / 2 >= -0.2
        assert box.x + box.width / 2 <= drawing.width + 0.2
        assert box.y + HEIGHT / 2 <= drawing.height
    for one, other in combinations(drawing.boxes, 2):
        apart = abs(one.x - other.x) >= (one.width + other.width) / 2
        assert apart or abs(one.y - other.y) >= HEIGHT


@given(graphs())
@settings(max_examples=40, deadline=None)
def test_causes_stand_above_their_effects_where_no_cycle_forbids_it(graph):
    nodes, edges = graph
    forward = [dict(e, **{"from": min(e["from"], e["to"]), "to": max(e["from"], e["to"])}) for e in edges]
    places = {box.name: box.y for box in lay_out(nodes, forward).boxes}
    for edge in forward:
        if edge["kind"] != "<->":
            assert places[edge["from"]] < places[edge["to"]]


def test_roles_colours_and_names():
    edges = [
        {"from": "cause", "to": "a_name_that_is_much_longer_than_a_box", "kind": "<->", "confidence": 0.5}
    ]
    drawing = lay_out(["cause", "a_name_that_is_much_longer_than_a_box"], edges, {"cause": "do"})
    first, second = drawing.boxes
    assert (first.role, second.role) == ("do", "")
    assert second.label.endswith("…")
    arrow = drawing.arrows[0]
    assert arrow.dashed
    assert len(arrow.heads) == 2
    assert arrow.label[2] == "50 %"
    assert drawing.top > 0  # it rises above the first layer


def test_nothing_to_draw():
    drawing = lay_out([], [])
    assert drawing.boxes == drawing.arrows == ()


@pytest.mark.parametrize(
    ("kind", "marks"),
    [("->", ("", "arrow")), ("<->", ("arrow", "arrow")), ("--", ("", "")), ("o->", ("ring", "arrow")),
     ("o-o", ("ring", "ring")), ("o--", ("ring", ""))],
)  # fmt: skip
def test_ends_of_edges(kind, marks):
    assert ends(kind) == marks
