"""The page in a real browser: no request leaves it, no message on its console, nothing wider than the window."""

import json
import shutil
import subprocess

import pytest

from equipoise.report import render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
QUIET = [
    "headless",
    "no-sandbox",
    "disable-gpu",
    "disable-background-networking",
    "no-first-run",
    "disable-component-update",
    "disable-sync",
    "disable-extensions",
    "disable-dev-shm-usage",
    "enable-logging=stderr",
]


def browse(folder, page, *options):
    """Open the page, and give the document as it stands then, the browser's messages and its network log."""
    file, log = folder / "report.html", folder / "net.json"
    file.write_text(page, "utf-8")
    own = [f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}", "--dump-dom"]
    own += ["--host-resolver-rules=MAP * ~NOTFOUND", *options]  # the browser's own calls go nowhere
    command = [CHROMIUM, *(f"--{option}" for option in QUIET), *own, file.as_uri()]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    return finished.stdout, finished.stderr, json.loads(log.read_text())["events"]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_page_is_quiet_and_alone(tmp_path, report, lang):
    document, messages, network = browse(tmp_path, render(report(), lang))
    assert "</html>" in document
    assert "CONSOLE" not in messages
    asked = {event["params"]["initiator"] for event in network if "initiator" in event.get("params", {})}
    assert not [initiator for initiator in asked if initiator.startswith("file") or initiator == "null"]


def test_a_page_that_asks_for_something_would_be_seen(tmp_path, report):
    page = render(report()).replace("Content-Security-Policy", "unused")
    page = page.replace("</body>", '<img src="http://localhost:9/x.png"></body>')
    _, _, network = browse(tmp_path, page)
    asked = {event["params"]["initiator"] for event in network if "initiator" in event.get("params", {})}
    assert [initiator for initiator in asked if initiator.startswith("file") or initiator == "null"]


def test_nothing_is_wider_than_a_telephone(tmp_path, report):
    look = "document.title = JSON.stringify([document.documentElement.scrollWidth, window.innerWidth])"
    page = render(report()).replace("default-src 'none'", "default-src 'none'; script-src 'unsafe-inline'")
    page = page.replace("</body>", f"<script>{look}</script></body>")
    document, _, _ = browse(tmp_path, page, "--window-size=420,900")
    wide, window = json.loads(document.split("<title>")[1].split("</title>")[0])
    assert wide <= window
