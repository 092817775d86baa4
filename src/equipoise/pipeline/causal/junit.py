"""The checks of a gate in the XML of JUnit, which build servers read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(content: Mapping[str, Any]) -> str:
    """One test case per check. What is undecided is an error, so that no server takes it for a pass.

    Args:
        content: What `gate.json` holds.
    """
    checks = content["checks"]
    counts = {
        status: str(sum(check["status"] == status for check in checks)) for status in ("fail", "undecided")
    }
    told = {
        "name": f"equipoise gate: {content['candidate']} against {content['current']}",
        "tests": str(len(checks)),
    }
    told |= {
        "failures": counts["fail"],
        "errors": counts["undecided"],
        "timestamp": str(content.get("created") or ""),
    }
    suite = Element("testsuite", {name: plain(value) for name, value in told.items()})
    for check in checks:
        name = ", ".join(str(check[key]) for key in ("metric", "attribute", "kind") if check.get(key))
        case = SubElement(
            suite,
            "testcase",
            {"classname": f"gate.{check['subject']}", "name": plain(name or check["subject"])},
        )
        if check["status"] != "pass":
            tag = "failure" if check["status"] == "fail" else "error"
            SubElement(case, tag, {"type": str(check["code"]), "message": plain(check["says"])})
        else:
            SubElement(case, "system-out").text = plain(check["says"])
    indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(suite, encoding="unicode") + "\n"


def plain(text: str) -> str:
    """Text without the characters that XML 1.0 cannot hold (its production 2, Char)."""
    return _FORBIDDEN.sub("", text)
