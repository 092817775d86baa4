"""Texts without a model: facts put into fixed sentences, in English and Chinese."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import PositiveInt

from equipoise.component import Runtime
from equipoise.errors import ModelError
from equipoise.language.generators import phrases
from equipoise.language.generators.generator import Generator, Writer
from equipoise.language.generators.phrases import PHRASES, Phrases
from equipoise.language.generators.prompt import Prompt

_SHORT = 60  # signs of a value that may stand in a sentence
_LONGEST = 120  # signs of a name
_MANY = 4  # values from which on a text with commas is a list
_NAMES = ("title", "name")
_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_PARTING = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


class Template(Generator):
    """Fixed sentences around the facts of a prompt: no model, no network, the same text every time.

    The only generator that writes Chinese without a network. It says what a prompt's data say and nothing else, so
    that its texts need no trust; values stand as the catalogue has them and are not translated. It reads
    the tasks `copy`, `describe_item` and `describe_user`, and knows the styles plain, warm and brief; another style
    is plain.
    """

    name = "template"

    fields: PositiveInt = 2
    """Most fields of an item that a text names beside its title."""
    reasons: PositiveInt = 3
    """Most past choices that a text names."""

    def open(self, runtime: Runtime | None = None) -> TemplateWriter:
        """The generator, ready at once."""
        return TemplateWriter(self)


class TemplateWriter(Writer):
    """The template at work."""

    config: Template

    @property
    def identity(self) -> str:
        """SHA-256 of the sentences, of the code that fills them, and of the settings."""
        digest = hashlib.sha256(self.config.model_dump_json().encode())
        for module in (__file__, phrases.__file__):
            digest.update(Path(module).read_bytes())
        return digest.hexdigest()

    def write(self, prompts: Sequence[Prompt]) -> list[str]:
        """One text per prompt.

        Raises:
            ModelError: if a prompt's task is none of its own, or its language neither English nor Chinese.
        """
        return [self._text(prompt) for prompt in prompts]

    def _text(self, prompt: Prompt) -> str:
        said = PHRASES.get(prompt.lang)
        if said is None:
            raise ModelError(
                f"The template does not know the language '{prompt.lang}'", todo="Ask for en or zh."
            )
        tasks = {"copy": self._copy, "describe_item": self._item, "describe_user": self._user}
        if prompt.task not in tasks:
            raise ModelError(
                f"The template has no sentences for the task '{prompt.task}'",
                todo="Choose a generator with a model for it.",
            )
        sentences = tasks[prompt.task](prompt, said)
        return said.space.join(sentence for sentence in sentences if sentence)

    def _copy(self, prompt: Prompt, said: Phrases) -> list[str]:
        title, fields = _parted(prompt.data.get("item", {}))
        style = prompt.style if prompt.style in said.offer else "plain"
        chinese = _is_chinese(title, said)
        reasons = prompt.data.get("reasons", ())[: self.config.reasons]
        past = [said.quoted(_name(reason["title"])) for reason in reasons]
        shared = [_values(reason.get("shared", ())) for reason in reasons]
        common = [
            value
            for value in (shared[0] if shared else ())
            if all(value in each for each in shared) and not (chinese and _foreign(value))
        ]
        sentences = [said.offer[style].format(title=said.quoted(title))]
        if not past:
            sentences.append(said.unreasoned[style])
        else:
            sentences.append(said.because[style].format(past=said.listed(past)))
            if common and style != "brief":
                sentences.append(said.shared.format(values=said.several[0].join(common[:3])))
        shown = () if style == "brief" else self._fields(title, fields, said, but=common)
        return [*sentences, *shown]

    def _item(self, prompt: Prompt, said: Phrases) -> list[str]:
        title, fields = _parted(prompt.data.get("item", {}))
        sentences = [said.offer["brief"].format(title=said.quoted(title))]
        sentences += self._fields(title, fields, said)
        prose = next((value for value in fields.values() if _is_prose(value)), None)
        if prose is not None:
            sentences.append(_first_sentence(prose))
        together = prompt.data.get("taken_together_with", ())[: self.config.reasons]
        if together:
            names = [said.quoted(_name(each)) for each in together]
            sentences.append(said.together.format(past=said.listed(names)))
        return sentences

    def _user(self, prompt: Prompt, said: Phrases) -> list[str]:
        history = [_parted(step) for step in prompt.data.get("history", ())]
        if not history:
            return [said.nothing]
        sentences = [said.chosen.format(count=prompt.data["choices"])] if "choices" in prompt.data else []
        sentences += _often([fields for _, fields in history], said)[: self.config.fields]
        latest = [said.quoted(title) for title, _ in history[: -self.config.reasons - 1 : -1]]
        return [*sentences, said.latest.format(past=said.listed(latest))]

    def _fields(
        self, title: str, fields: Mapping[str, Any], said: Phrases, but: Sequence[str] = ()
    ) -> list[str]:
        """The item's first short fields, each a sentence; Chinese texts about Chinese items name no foreign words."""
        chinese = _is_chinese(title, said)
        found = (
            said.field.format(name=_label(name, said), values=said.joined(values[:4]))
            for name, value in fields.items()
            if not _is_prose(value)
            and (values := [each for each in _values(value) if each not in but and each != title])
            and not (chinese and any(_foreign(each) for each in values))
        )
        return list(islice(found, self.config.fields))


def _often(steps: Sequence[Mapping[str, Any]], said: Phrases) -> list[str]:
    """What several steps have in common, a sentence for each field that tells any."""
    kinds: dict[str, Counter[str]] = {}
    for fields in steps:
        for name, many in fields.items():
            kinds.setdefault(name, Counter()).update(dict.fromkeys(_values(many, several=True), 1))
    most = {
        name: [
            said.counted.format(value=value, count=count)
            for value, count in found.most_common(3)
            if count > 1
        ]
        for name, found in kinds.items()
    }
    return [
        said.often.format(name=_label(name, said), read=len(steps), values=said.joined(values))
        for name, values in most.items()
        if values
    ]


def _parted(item: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """An item's name and its other fields: the name is its title, else its first text."""
    names = [name for name in item if name in _NAMES] + [name for name in item if isinstance(item[name], str)]
    if not names:
        return "?", dict(item)
    return _name(item[names[0]]), {name: value for name, value in item.items() if name != names[0]}


def _name(title: object) -> str:
    """A name on one line, cut where it would fill the text."""
    text = " ".join(str(title).split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def _label(field: str, said: Phrases) -> str:
    """A field's name in words."""
    own = said.names.get(field)
    if own is not None:
        return own
    words = " ".join(field.replace("_", " ").split())
    return words[:1].upper() + words[1:]


def _values(value: object, *, several: bool = False) -> list[str]:
    """The short values of a field; with `several`, only where it is one of many kinds and no name of its own."""
    parts = value if isinstance(value, list | tuple) else str(value).split("," if _is_list(value) else "|")
    if several and not isinstance(value, list | tuple | str):
        return []
    texts = [" ".join(str(part).split()) for part in parts if part is not None]
    return [text for text in texts if text and len(text) <= _SHORT]


def _is_list(value: object) -> bool:
    """Whether a text is a row of many short values with commas between, as tags are, and no sentence."""
    if not isinstance(value, str) or "|" in value or _PARTING.search(value) or value[-1:] in ".!?。！？":
        return False
    parts = value.split(",")
    return len(parts) >= _MANY and all(len(part) <= _SHORT / 2 for part in parts)


def _is_prose(value: object) -> bool:
    """Whether a field is running text rather than a value."""
    if not isinstance(value, str) or "|" in value or _is_list(value):
        return False
    return (
        len(value) > _SHORT
        or value.endswith(("。", "！", "？"))
        or (value[-1:] in ".!?" and value.count(" ") > 2)
    )


def _first_sentence(text: str) -> str:
    """The first sentence, cut where it would fill the text, and closed."""
    first = _PARTING.split(" ".join(text.split()), maxsplit=1)[0]
    if len(first) > 2 * _LONGEST:
        return first[: 2 * _LONGEST - 1].rstrip() + "…"
    return first if first[-1:] in ".!?。！？…" else first + ("。" if _HAN.search(first) else ".")


def _is_chinese(title: str, said: Phrases) -> bool:
    """Whether a text is about an item with a Chinese name, in Chinese."""
    return said is PHRASES["zh"] and _HAN.search(title) is not None


def _foreign(value: str) -> bool:
    """Whether a value is in words of another script than Chinese."""
    return not _HAN.search(value) and any(sign.isalpha() for sign in value)
