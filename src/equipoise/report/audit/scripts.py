"""What runs in the page: one copy of Plotly, our script, and the data that it reads."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from markupsafe import Markup

from equipoise.report.audit.explained import Explained
from equipoise.report.audit.strips import Chart
from equipoise.report.environment import plain

_SCRIPT = Path(__file__).parent.parent / "templates" / "audit.js"


@cache
def scripts() -> dict[str, Markup]:
    """The scripts of the page by name."""
    from plotly.offline import get_plotlyjs

    return {"plotly": Markup(str(get_plotlyjs()).strip()), "script": Markup(_SCRIPT.read_text("utf-8"))}


@cache
def hashes() -> str:
    """Hashes of the scripts, the only ones that the page's policy lets run."""
    digests = (hashlib.sha256(text.encode()).digest() for text in scripts().values())
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def embedded(content: Any) -> Markup:
    """JSON that may stand in a script element whatever text it holds."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def script_data(
    charts: Sequence[Chart], explained: Explained, protocol: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """What the script needs: charts, explanations of the numbers shown, definitions, methods, words."""
    words, evidence = explained.words, explained.speaker.evidence
    facts = {
        name: value for name, value in evidence.facts("settings").items() if not isinstance(value, Mapping)
    }

    def method(name: str) -> str:
        key = f"method.{name}"
        template = words.template(key)
        if template is None:
            key, template = "method.gap.other", words("method.gap.other")
        places = re.findall(r"\{(\w+)\}", template)
        return words(key, **{place: plain(facts.get(place, "–"), words) for place in places})

    return {
        "charts": [chart.figure for chart in charts],
        "numbers": explained.found,
        "definitions": explained.definitions(),
        "methods": {
            name: method(name) for name in sorted({one["method"] for one in explained.found.values()})
        },
        "protocol": " · ".join(f"{name} {value}" for name, value in protocol),
        "words": {name: words(f"audit.shown.{name}") for name in ("slices", "copied")},
    }
