"""Facts become copy: a generator writes, every statement is checked, and the template stands in where one fails."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pydantic import PositiveInt

from equipoise.component import Component
from equipoise.copywriting.checks import check
from equipoise.copywriting.claims import Checked, Claim, Copy, Fault
from equipoise.copywriting.facts import STYLES, Facts
from equipoise.data import vocabulary as v
from equipoise.endpoint import BudgetError, EndpointError
from equipoise.errors import ConfigError, nearest
from equipoise.language.generators import Prompt, Writer, generator
from equipoise.language.generators.prompt import Language

_TEMPLATE: Final = "template"


class Copywriter(Component):
    """Writes a short text about each recommendation, and shows none that was not checked.

    A draft with any fault (see `check`) is replaced by the template's text in the same style, that by the template's
    shortest, and that by the item's name, each checked as the draft was. Where not even the name stands, its id is
    shown.
    """

    name = "copywriter"

    lang: Language = "en"
    """Language of the texts."""
    style: str = "plain"
    """Tone asked for: plain, warm or brief; a generator with a model may know others."""
    nouns: tuple[str, ...] = ()
    """What the catalogue holds, in words that may be said of any item, as "film" of every title in MovieLens."""
    longest: PositiveInt | None = None
    """Most signs of a text beside the names of items; 360 in English and 180 in Chinese by default."""
    batch: PositiveInt = 16
    """Texts asked for at once. A failure costs only its own text; after one that all others would meet, as of a server
    that is away, so many are written by the template before it is asked again."""

    def write(self, facts: Sequence[Facts], writer: Writer) -> list[Copy]:
        """One text per recommendation.

        A model or a server that fails or a budget that is used up costs no text: the template writes, and the fault is
        told under `checks` as of the kind `generator`. After a spent budget nothing more is asked.

        Args:
            facts: What each text may say.
            writer: Who writes the drafts.

        Raises:
            ConfigError: if the template is to write in a style that it does not know.
            ModelError: if the writer fails at each of the first texts, as one that does not know the language or the
                task does.
        """
        self.require_style(writer.config.name)
        return [
            self._copy(each, draft, writer.config.name)
            for each, draft in zip(facts, self._drafts(facts, writer), strict=True)
        ]

    def require_style(self, author: str) -> None:
        """Refuse a style that a generator cannot write in, before any work is done.

        Args:
            author: Name of the generator.

        Raises:
            ConfigError: if the template is to write in a style that it does not know.
        """
        if author == _TEMPLATE and self.style not in STYLES:
            raise ConfigError(
                f"The template does not know the style '{self.style}'",
                todo=f"{nearest(self.style, STYLES)} For another tone, choose a generator with a model.",
            )

    def _drafts(self, facts: Sequence[Facts], writer: Writer) -> list[str | Fault]:
        drafts: list[str | Fault] = []
        spent: Fault | None = None
        for start in range(0, len(facts), self.batch):
            prompts = [self._prompt(each) for each in facts[start : start + self.batch]]
            if spent is not None:
                drafts += [spent] * len(prompts)
                continue
            found = writer.attempts(prompts)
            failed = [one for one in found if not isinstance(one, str)]
            if not drafts and len(failed) == len(found) and not isinstance(failed[0], EndpointError):
                raise failed[0]
            drafts += [one if isinstance(one, str) else Fault("generator", one.what) for one in found]
            spent = next(
                (Fault("generator", one.what) for one in failed if isinstance(one, BudgetError)), None
            )
        return drafts

    def _prompt(self, facts: Facts) -> Prompt:
        return facts.prompt(self.lang, self.style)

    def _copy(self, facts: Facts, draft: str | Fault, author: str) -> Copy:
        if isinstance(draft, Fault):
            faults: tuple[Fault, ...] = (draft,)
            checked = None
        else:
            checked = self.check(draft, facts)
            faults = checked.faults
        if checked is not None and checked.sound:
            shown = checked
        else:
            shown, author = self._safe(facts), _TEMPLATE
        return Copy(
            shown.text, self.lang, self.style, author, shown.claims, faults, shown is not checked, checked
        )

    def check(self, text: str, facts: Facts) -> Checked:
        """A text checked by these settings."""
        return check(text, facts, self.lang, nouns=self.nouns, longest=self.longest)

    def _safe(self, facts: Facts) -> Checked:
        """The longest text of the template that stands; else the item's id."""
        template = generator(_TEMPLATE).open()
        alone = replace(facts, fields={}, past=())
        prompts = [self._prompt(facts), facts.prompt(self.lang, "brief"), alone.prompt(self.lang, "brief")]
        checked = [self.check(text, facts) for text in template.write(prompts)]
        bare = Checked(facts.item, (Claim(facts.item, (v.ITEM,), ()),), ())
        return next((each for each in checked if each.sound), bare)
