"""The pages of an audit in a real browser: quiet, alone, usable by keyboard, and the summary on one sheet."""

import re
import shutil

import pytest

from equipoise.report import render_audit, render_summary
from tests.report.audit_evidence import METRICS, NASTY, bare, evidence

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
playwright = pytest.importorskip("playwright.sync_api", reason="needs Playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Writes a page, and gives its address."""
    folder = tmp_path_factory.mktemp("pages")

    def write(page, name="report"):
        file = folder / f"{name}.html"
        file.write_text(page, "utf-8")
        return file.as_uri()

    return write


@pytest.fixture(scope="module")
def report(address):
    return address(render_audit(evidence()))


@pytest.fixture
def tab(browser):
    """A page of the browser that remembers its messages and requests."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    page.messages, page.requests = [], []
    page.on("console", lambda message: page.messages.append(message.text))
    page.on("pageerror", lambda error: page.messages.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    yield page
    context.close()


def until(tab, condition):
    """Wait for a condition, asked from outside: the page forbids what the browser's own waiting would evaluate."""
    for _ in range(200):
        if tab.evaluate(condition):
            return
        tab.wait_for_timeout(50)
    raise AssertionError(f"never came true: {condition}")


def wide(tab):
    return tab.evaluate("document.documentElement.scrollWidth > innerWidth")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_report_is_quiet_and_alone(tab, address, lang):
    place = address(render_audit(evidence(), lang), lang)
    tab.goto(place)
    for part in tab.query_selector_all("details"):
        part.evaluate("one => { one.open = true; }")
    until(tab, "[...document.querySelectorAll('.chart')].every(one => one.querySelector('svg'))")
    assert tab.messages == []
    assert tab.requests == [place]
    assert tab.evaluate("window.alerted") is None
    assert tab.locator("text=</script><script>alert(1)</script>").count() > 10


def test_the_browser_itself_forbids_requests(tab, report):
    tab.goto(report)
    refused = tab.evaluate("fetch('http://localhost:9/').then(() => 'sent', () => 'refused')")
    tab.evaluate("document.body.append(Object.assign(new Image(), {src: 'http://localhost:9/x.png'}))")
    assert refused == "refused"
    assert all("Content Security Policy" in message for message in tab.messages)
    assert len(tab.messages) >= 2


def test_an_evidence_of_nearly_nothing_is_a_quiet_page_too(tab, address):
    tab.goto(address(render_audit(bare()), "bare"))
    assert tab.messages == []
    assert not wide(tab)


def test_a_number_opens_by_keyboard_and_gives_its_command(tab, report):
    tab.goto(report)
    link = tab.locator("#verdicts a.n").first
    dialog = tab.locator("dialog")
    link.focus()
    tab.keyboard.press("Enter")
    dialog.wait_for(state="visible")
    assert (
        tab.inner_text("dialog pre")
        == "equipoise audit verify DIR --only gap/baseline/gender/ndcg@10/difference"
    )
    assert "M 651, F 258" in tab.inner_text("dialog")
    tab.wait_for_url("**#number=gap/baseline/gender/ndcg@10/difference")
    tab.keyboard.press("Escape")
    dialog.wait_for(state="hidden")
    until(tab, "!location.hash.includes('number=')")
    tab.keyboard.press("Enter")
    dialog.wait_for(state="visible")
    assert tab.locator("dialog[open]").count() == 1


def test_the_command_of_a_hostile_name_is_quoted_for_the_shell(tab, report):
    tab.goto(f"{report}#number=overall/{NASTY.replace('<', '%3C').replace('>', '%3E')}/ndcg%4010")
    assert tab.inner_text("dialog pre") == f"equipoise audit verify DIR --only 'overall/{NASTY}/ndcg@10'"
    assert tab.messages == []


def test_tables_behind_charts_open_by_keyboard(tab, report):
    tab.goto(report)
    summary = tab.locator("#gaps details > summary").first
    summary.focus()
    tab.keyboard.press("Enter")
    table = tab.locator("#gaps details[open] table").first
    table.wait_for(state="visible")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.closest('table') !== null")


def shown(tab):
    return tab.locator("#explorer tbody tr")


def test_the_explorer_filters_sorts_and_stands_in_the_address(tab, report):
    tab.goto(report)
    assert shown(tab).count() == 15
    tab.select_option("[name=system]", NASTY)
    tab.select_option("[name=metric]", METRICS[1])
    assert set(shown(tab).evaluate_all("rows => rows.map(row => row.dataset.system)")) == {NASTY}
    assert set(shown(tab).evaluate_all("rows => rows.map(row => row.dataset.metric)")) == {METRICS[1]}
    tab.locator("th[data-sort=users] button").focus()
    tab.keyboard.press("Enter")
    users = shown(tab).evaluate_all("rows => rows.map(row => Number(row.dataset.users))")
    assert users == sorted(users)
    assert tab.get_attribute("th[data-sort=users]", "aria-sort") == "ascending"
    tab.keyboard.press("Enter")
    assert shown(tab).evaluate_all("rows => rows.map(row => Number(row.dataset.users))") == sorted(
        users, reverse=True
    )
    assert "sort=-users" in tab.evaluate("location.href")
    state = tab.evaluate("location.href")
    tab.goto("about:blank")
    tab.goto(state)
    assert tab.input_value("[name=system]") == NASTY
    assert shown(tab).evaluate_all("rows => rows.map(row => Number(row.dataset.users))") == sorted(
        users, reverse=True
    )
    assert tab.messages == []


def test_the_explorer_finds_the_worse_slices_and_shows_all(tab, report):
    tab.goto(report)
    tab.click("#slices-all")
    assert shown(tab).count() == len(evidence()["slices"])
    tab.check("[name=worse]")
    assert max(shown(tab).evaluate_all("rows => rows.map(row => Number(row.dataset.difference))")) < 0
    tab.check("[name=found]")
    found = shown(tab).evaluate_all("rows => rows.map(row => Number(row.dataset.qValue))")
    assert found
    assert max(found) <= 0.05


def test_charts_follow_into_the_dark_and_onto_paper(tab, report):
    colour = "getComputedStyle(document.querySelector('.chart .xtick text')).fill"
    tab.goto(report)
    light = tab.evaluate(colour)
    tab.emulate_media(color_scheme="dark")
    until(tab, f"{colour} !== '{light}'")
    tab.evaluate("dispatchEvent(new Event('beforeprint'))")
    until(tab, f"{colour} === '{light}'")
    tab.evaluate("dispatchEvent(new Event('afterprint'))")
    until(tab, f"{colour} !== '{light}'")


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_nothing_is_wider_than_a_telephone(tab, address, lang):
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(address(render_audit(evidence(), lang), lang))
    tab.wait_for_selector(".chart svg")
    assert not wide(tab)
    clipped = """[...document.querySelectorAll('.chart')].flatMap(chart => {
        const box = chart.getBoundingClientRect();
        return [...chart.querySelectorAll('text')].filter(text => {
            const own = text.getBoundingClientRect();
            return own.width && (own.left < box.left - 1 || own.right > box.right + 1 || own.bottom > box.bottom + 1);
        }).map(text => text.textContent);
    })"""
    assert tab.evaluate(clipped) == []


LONG = "a name that is longer than any column of a sheet of paper can be 很长的名字 " * 3


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("content", ["full", "bare", "crowded"])
def test_the_summary_prints_on_one_sheet(tab, address, lang, content):
    told = {"full": evidence, "bare": bare, "crowded": crowded}[content]()
    tab.goto(address(render_summary(told, lang), "summary"))
    pdf = tab.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == 1
    assert tab.messages == []
    sheet = tab.locator(".sheet")
    needed, there = sheet.evaluate("one => [one.scrollHeight, one.clientHeight]")
    assert needed <= there + 1  # nothing is cut off
    assert tab.locator("table.sign").is_visible()


def crowded():
    """More systems, reasons and longer names than fit."""
    content = evidence()
    content["systems"] = [{"name": f"{i} {LONG}", "role": "audited", "missing": None} for i in range(12)]
    content["gaps"] = [
        {**row, "system": f"{i} {LONG}", "attribute": LONG, "verdict": "insufficient evidence"}
        for i in range(12) for row in content["gaps"] if row["system"] == "baseline"
    ]  # fmt: skip
    content["not_testable"] = [{"code": f"invented_{i}", "values": {"group": LONG}} for i in range(20)]
    content["collapse"] = [
        {"system": f"{i} {LONG}", "shared": 1.0, "popularity_overlap": 1.0, "named": True} for i in range(12)
    ]
    content["policy"] = {"owner": LONG, "rules": []}
    return {**content, "name": LONG}
