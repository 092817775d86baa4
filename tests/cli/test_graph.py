from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from equipoise.cli import main
from tests.endpoint.local_server import serving


def call(*words: object) -> int:
    """The exit code of a command, 0 when it just ends."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    age, season = rng.uniform(-1, 1, (2, 800))
    price = age + season + rng.uniform(-1, 1, 800)
    data = {"age": age, "season": season, "price": price, "sales": price + rng.uniform(-1, 1, 800)}
    pl.DataFrame(data).write_csv(tmp_path / "shop.csv")
    return tmp_path / "shop.csv"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Any:
    def read() -> str:
        both = capsys.readouterr()
        return both.out + both.err

    return read


def test_a_proposal_is_written_and_printed(table: Path, tmp_path: Path, said: Any) -> None:
    assert call("graph", "propose", table, "--resamples", 3, "--level", 0.001, "--out", tmp_path / "out") == 0
    text = said()
    assert "age -> price" in text
    assert "A proposal by pc from 800 rows, not a finding" in text
    content = json.loads((tmp_path / "out" / "graph.json").read_text("utf-8"))
    assert content["verdict"]["code"] == "proposal"
    assert {"age", "season"} == {edge["from"] for edge in content["edges"] if edge["to"] == "price"}
    assert content["command"].startswith("equipoise")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "price" in page
    assert "http-equiv" in page or "<svg" in page
    quick = ("--method", "fci", "--resamples", 0, "--lang", "zh")
    assert call("graph", "propose", table, *quick, "--out", tmp_path / "zh") == 0
    assert "尚无人接受" in (tmp_path / "zh" / "report.html").read_text("utf-8")
    said()
    assert call("graph", "propose", table, "--out", tmp_path / "out") == 2
    assert "holds an answer already" in said()


def test_a_language_model_is_asked_through_the_environment(
    table: Path, tmp_path: Path, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    causes = [{"cause": "price", "effect": "sales", "reason": "dear things sell less"}]
    causes.append({"cause": "weather", "effect": "sales", "reason": "rain"})
    content = json.dumps({"causes": causes, "hidden_common_causes": []})
    answer = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}
    (tmp_path / "words.toml").write_text('price = "price in cents"', "utf-8")
    with serving() as server:
        server.then(200, answer).then(200, answer)
        monkeypatch.setenv("EQUIPOISE_BASE_URL", server.address)
        words = [
            "--method",
            "llm",
            "--model",
            "m",
            "--resamples",
            2,
            "--descriptions",
            tmp_path / "words.toml",
        ]
        assert call("graph", "propose", table, *words, "--out", tmp_path / "out") == 0
        assert "price in cents" in server.bodies[0]["messages"][1]["content"]
    assert "2 further edges were refused" in said()
    content = json.loads((tmp_path / "out" / "graph.json").read_text("utf-8"))
    assert content["proposal"]["refused"] == ["weather -> sales"]
    assert content["edges"][0]["reason"] == "dear things sell less"


def test_a_right_graph_agrees_and_a_wrong_one_is_contradicted(table: Path, tmp_path: Path, said: Any) -> None:
    assert call("graph", "check", "age -> price <- season; price -> sales", "--data", table) == 0
    assert "Agrees." in said()
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("age -> price <- season\nage -> sales\n", "utf-8")
    assert call("graph", "check", wrong, "--data", table, "--out", tmp_path / "out") == 1
    text = said()
    assert "Contradicted." in text
    assert call("graph", "check", wrong, "--data", table, "--out", tmp_path / "zh", "--lang", "zh") == 1
    page = (tmp_path / "zh" / "report.html").read_text("utf-8")
    assert "数据与图矛盾" in page
    assert "The data contradict" not in page
    assert "'price' depends on 'sales'" in text
    content = json.loads((tmp_path / "out" / "graph.json").read_text("utf-8"))
    assert any(row["rejected"] for row in content["implications"])
    assert (tmp_path / "out" / "report.html").is_file()


def test_rows_of_users_are_named_and_what_cannot_be_tested_is_told(tmp_path: Path, said: Any) -> None:
    rng = np.random.default_rng(0)
    user = np.repeat(np.arange(150), 20)
    age = rng.normal(size=150)[user]
    price = age + rng.normal(size=150)[user]
    sales = price + rng.normal(size=150)[user]
    table = tmp_path / "users.csv"
    pl.DataFrame({"user": user, "age": age, "price": price, "sales": sales}).write_csv(table)
    graph = "age -> price -> sales"
    assert call("graph", "check", graph, "--data", table) == 1
    assert "taken to be independent" in said()
    out = ("--out", tmp_path / "zh", "--lang", "zh")
    assert call("graph", "check", graph, "--data", table, "--cluster", "user", *out) == 0
    assert "3000 rows of 150 clusters" in said()
    page = (tmp_path / "zh" / "report.html").read_text("utf-8")
    assert "150 个簇的 3000 行数据" in page
    pl.DataFrame({"age": [1, 1], "price": [2, 3], "sales": [4, 4]}).write_csv(table)
    assert call("graph", "check", graph, "--data", table) == 2
    assert "could be tested" in said()


def test_a_question_is_answered_by_a_formula_or_a_reason(tmp_path: Path, said: Any) -> None:
    graph = "age -> history -> click; age -> click"
    asked = ("--outcome", "click", "--do", "history")
    assert call("graph", "show", graph, *asked, "--out", tmp_path / "out", "--lang", "zh") == 0
    text = said()
    assert "Strategy: backdoor; adjust for age" in text
    assert "Identified." in text
    content = json.loads((tmp_path / "out" / "graph.json").read_text("utf-8"))
    assert content["query"]["adjustment_sets"] == [["age"]]
    assert 'lang="zh' in (tmp_path / "out" / "report.html").read_text("utf-8")
    bow = "history -> click; history <-> click"
    assert call("graph", "show", bow, *asked, "--out", tmp_path / "bow", "--lang", "zh") == 1
    text = said()
    assert "Not identified." in text
    assert "at random for a while" in text
    page = (tmp_path / "bow" / "report.html").read_text("utf-8")
    assert "隐藏的共同原因把" in page
    assert "cannot be known" not in page
    assert call("graph", "show", graph, *asked, "--as", "latex") == 0
    assert "\\sum" in said()


def test_a_graph_is_drawn_for_other_tools_and_nothing_is_written_unasked(
    tmp_path: Path, said: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("graph", "show", "a -> b <- c", "--as", "mermaid") == 0
    assert said().startswith("flowchart LR")
    assert call("graph", "show", "a -> b <- c", "--as", "graphviz") == 0
    assert said().startswith("digraph")
    assert call("graph", "show", "a -> b <- c") == 0
    assert "a ⊥ c" in said()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("show", "a -> b -> a"), "cycle"),
        (("show", "a -> b", "--outcome", "b"), "needs both"),
        (("show", "a -> b", "--outcome", "c", "--do", "a"), "no variable 'c'"),
        (("show", "a -> b", "--as", "png"), "not printed as 'png'"),
        (("show", "a -> b", "--as", "latex"), "no formula"),
        (("check", "a -> b", "--data", "nowhere.csv"), "no such file"),
        (("propose", "nowhere.csv"), "no such file"),
    ],
)
def test_bad_input_is_told(words: tuple[str, ...], message: str, said: Any) -> None:
    assert call("graph", *words) == 2
    assert message in said()
