"""Steps of work: in order, and heard by whoever runs it."""

import io
import sys

from equipoise.progress import heard, track, waiting


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_whoever_runs_the_work_hears_its_steps():
    steps = []
    with heard(lambda *told: steps.append(told)):
        assert list(track("abc", "spelling", show=False)) == ["a", "b", "c"]
        assert list(track(iter("d"), "guessing")) == ["d"]
    assert steps == [("spelling", 1, 3), ("spelling", 2, 3), ("spelling", 3, 3), ("guessing", 1, None)]
    assert list(track("ab", "spelling")) == ["a", "b"]
    assert len(steps) == 4


def test_a_terminal_sees_what_is_waited_for_and_its_steps(monkeypatch):
    out = Terminal()
    monkeypatch.setattr(sys, "stderr", out)
    with waiting("reading [a] run"):
        assert list(track("abcd", "scoring")) == ["a", "b", "c", "d"]
    assert "reading [a] run" in out.getvalue()
    assert "scoring 4 of 4" in out.getvalue()


def test_a_file_sees_nothing_of_what_is_waited_for(monkeypatch):
    out = io.StringIO()
    monkeypatch.setattr(sys, "stderr", out)
    with waiting("reading"):
        assert list(track("ab", "scoring")) == ["a", "b"]
    assert out.getvalue() == ""


def test_whoever_hears_the_steps_hears_them_while_waiting_too():
    steps = []
    with heard(lambda *told: steps.append(told)), waiting("reading"):
        assert list(track("a", "scoring")) == ["a"]
    assert steps == [("scoring", 1, 1)]
