"""The causal pages in a real browser: quiet, alone, and nothing wider than a telephone."""

import json

import pytest

from equipoise.report import (
    render_card,
    render_debias,
    render_gate,
    render_graph,
    render_plan,
    render_policy_value,
)
from tests.report import causal_content as content
from tests.report import debias_content
from tests.report.test_in_browser import browse
from tests.report.test_in_browser import pytestmark as needs_chromium

pytestmark = needs_chromium
PAGES = {
    "card": (render_card, content.card),
    "value": (render_policy_value, content.policy_value),
    "gate": (render_gate, content.gate),
    "graph": (render_graph, content.proposal),
    "plan": (render_plan, content.plan),
    "debias": (render_debias, debias_content.mirrored),
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_asked_for_and_nothing_is_wider_than_a_telephone(tmp_path, name):
    render, make = PAGES[name]
    look = "document.title = JSON.stringify([document.documentElement.scrollWidth, window.innerWidth])"
    page = render(make()).replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    page = page.replace("</body>", f"<script>{look}</script></body>")
    document, messages, network = browse(tmp_path, page, "--window-size=420,900")
    wide, window = json.loads(document.split("<title>")[1].split("</title>")[0])
    assert wide <= window
    assert "CONSOLE" not in messages
    asked = {event["params"]["initiator"] for event in network if "initiator" in event.get("params", {})}
    assert not [initiator for initiator in asked if initiator.startswith("file") or initiator == "null"]
