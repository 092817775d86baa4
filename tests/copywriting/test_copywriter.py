import numpy as np
import polars as pl
import pytest

from equipoise.copywriting import MEASURES, Copywriter, Facts, Past, measures, parity
from equipoise.endpoint import BudgetError, EndpointError
from equipoise.errors import ConfigError, ModelError
from equipoise.language.generators import Generator, Writer, generator

from .kit import FILM, POT

TITLE = "Silent Harbor (1987)"


class Scripted(Generator):
    name = "scripted"

    def open(self, runtime=None):
        return Script(self, [])


class Script(Writer):
    """Answers what it is told to, or fails."""

    def __init__(self, config, answers):
        super().__init__(config)
        self.answers, self.asked = list(answers), 0

    @property
    def identity(self):
        return "script"

    def write(self, prompts):
        self.asked += 1
        answers = [self.answers.pop(0) for _ in prompts]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers


def copies(*answers, facts=FILM, **fields):
    script = Script(Scripted(), answers)
    return Copywriter(batch=1, **fields).write([facts] * len(answers), script), script


def test_a_draft_that_stands_is_shown():
    (copy,), _ = copies("Because you watched The Long Tide, try Silent Harbor, a drama.")
    assert copy.text.startswith("Because you watched")
    assert (copy.fallback, copy.generator, copy.checks, copy.grounded) == (False, "scripted", (), 1.0)


def test_a_fault_brings_the_template_and_is_told():
    (copy,), _ = copies("Silent Harbor is the best comedy of 1988.")
    assert copy.fallback
    assert copy.generator == "template"
    assert {fault.kind for fault in copy.checks} == {"banned", "unsupported", "number"}
    assert copy.text.startswith(f"We suggest {TITLE}.")
    assert copy.draft is not None
    assert copy.grounded == 1.0
    assert copy.as_dict()["draft"]["text"] == "Silent Harbor is the best comedy of 1988."


def test_what_the_template_may_not_say_is_left_out():
    cure = Facts("1", "Tea", {"effect": "cures all"}, (Past("2", "Pot", ("cures all",)),))
    (copy,), _ = copies("It cures all.", facts=cure)
    assert copy.text == "Tea. Because you chose Pot."
    assert copy.grounded == 1.0


def test_where_not_even_the_name_stands_the_id_is_shown():
    review = Facts("B0042", "I guarantee this cures", {}, titled=False)
    (copy,), _ = copies("Buy now.", facts=review)
    assert (copy.text, copy.grounded, copy.fallback) == ("B0042", 1.0, True)
    long = Facts("1", "x" * 300 + " https://example.com", {})
    (copy,), _ = copies("Buy now.", facts=long)
    assert all(not claim.faults for claim in copy.claims)
    assert Copywriter().check(copy.text, long).sound or copy.text == "1"


def test_servers_that_fail_cost_no_text_and_a_spent_budget_ends_asking():
    good = "Try Silent Harbor."
    found, script = copies(EndpointError("down"), good, BudgetError("spent"), good, good)
    assert [copy.fallback for copy in found] == [True, False, True, True, True]
    assert [fault.what for copy in found for fault in copy.checks] == ["down", "spent", "spent", "spent"]
    assert {fault.kind for copy in found for fault in copy.checks} == {"generator"}
    assert script.asked == 3


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_template_is_shown_as_it_is(lang):
    facts = {"en": FILM, "zh": POT}[lang]
    (copy,) = Copywriter(lang=lang).write([facts], generator("template").open())
    assert not copy.fallback
    assert copy.checks == ()


def test_a_style_that_the_template_does_not_know_is_refused_and_a_model_may_know_it():
    with pytest.raises(ConfigError, match=r"style 'warn'[\s\S]*Did you mean 'warm'"):
        Copywriter(style="warn").write([FILM], generator("template").open())
    (copy,), _ = copies("", style="wry")
    assert (copy.generator, copy.fallback) == ("template", True)


def test_measures_look_past_names():
    facts = Facts("1", "The Best Perfect Love (1999)", {"genres": ("Drama",)}, (Past("2", "Awful Waste"),))
    (copy,) = Copywriter().write([facts], generator("template").open())
    assert (
        copy.text
        == "We suggest The Best Perfect Love (1999). The reason: you chose Awful Waste. Genres: Drama."
    )
    found = measures(copy, facts)
    assert found == {
        "tone": 0.0, "length": 8.0, "sentence_length": 8 / 3, "facts": 2.0, "reasons": 1.0, "fallback": 0.0,
        "trait_in_draft": 0.0,
    }  # fmt: skip


def table(lengths_by_group):
    rows = [
        {
            "user_id": f"{group}{place}",
            "group": group,
            **dict.fromkeys(MEASURES, 0.0),
            "length": float(length),
        }
        for group, lengths in lengths_by_group.items()
        for place, length in enumerate(lengths)
    ]
    whole = pl.DataFrame(rows)
    return whole.drop("group"), whole.select("user_id", "group")


def test_a_planted_gap_is_found_and_small_groups_are_not_shown():
    rng = np.random.default_rng(1)
    measured, users = table({"a": rng.normal(20, 2, 80), "b": rng.normal(25, 2, 80), "c": [3.0] * 4})
    found = parity(measured, users, ["group"], n_bootstrap=300)
    (gap,) = found.gaps
    assert (gap.measure, gap.adjusted < 0.01) == ("length", True)
    assert gap.gap == pytest.approx(5, abs=1)
    shown = {mean.group: mean for mean in found.groups if mean.measure == "length"}
    assert shown["a"].low < 20 < shown["a"].high
    assert (shown["c"].users, shown["c"].value) == (4, None)


def test_no_gap_is_found_where_there_is_none():
    p_values = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        measured, users = table({"a": rng.normal(20, 2, 30), "b": rng.normal(20, 2, 30)})
        p_values.append(parity(measured, users, ["group"], n_bootstrap=99, seed=seed).gaps[0].p_value)
    assert sum(p <= 0.05 for p in p_values) <= 6  # 2 expected; more than 6 in less than 1 of 100 draws


def test_a_failed_draft_costs_only_itself_and_is_asked_for_once():
    """The failure of a model as of a server; a spent budget ends asking."""
    good, bad, away = "Try Silent Harbor.", ModelError("wrote no whole sentence"), EndpointError("away")
    script = Script(Scripted(), [good, bad, away, good, bad])
    found = Copywriter(batch=2).write([FILM] * 5, script)
    assert [copy.fallback for copy in found] == [False, True, True, False, True]
    assert [fault.what for copy in found for fault in copy.checks] == [bad.what, away.what, bad.what]
    assert script.asked == 5
    script = Script(Scripted(), [good, BudgetError("spent"), good, good])
    found = Copywriter(batch=3).write([FILM] * 4, script)
    assert [copy.fallback for copy in found] == [False, True, False, True]
    assert script.asked == 3


def test_a_writer_that_fails_at_all_of_the_first_texts_is_told():
    bad = ModelError("no such language")
    with pytest.raises(ModelError, match="no such language"):
        Copywriter(batch=2).write([FILM] * 4, Script(Scripted(), [bad] * 4))
