"""The sentences of the template generator, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from equipoise.language.generators.prompt import Language


@dataclass(frozen=True)
class Phrases:
    """What the template says in one language; braces are filled in.

    Attributes:
        offer: By style, how an item is put before somebody.
        because: By style, which choices it is put forward for.
        unreasoned: By style, what is said where no reason is known.
        shared: What the item has in common with all of those choices.
        field: A field of an item and its values.
        together: What it is often taken with.
        chosen: How many choices somebody made in all.
        often: What the latest choices that are told mostly have in a field, and how many these are.
        latest: What they chose last.
        nothing: What is said of somebody without a history.
        counted: A value and how often it occurred.
        several: Between values, and before the last of several names.
        apart: Between values that hold commas themselves.
        names: Names of common fields, where the language has its own.
        quotes: Around the name of an item.
        space: Between sentences.
    """

    offer: Mapping[str, str]
    because: Mapping[str, str]
    unreasoned: Mapping[str, str]
    shared: str
    field: str
    together: str
    chosen: str
    often: str
    latest: str
    nothing: str
    counted: str
    several: tuple[str, str]
    apart: str
    names: Mapping[str, str]
    quotes: tuple[str, str]
    space: str

    def listed(self, names: list[str]) -> str:
        """Names in a row, as the language joins them."""
        if len(names) < 2:
            return "".join(names)
        between, last = self.several
        return between.join(names[:-1]) + last + names[-1]

    def joined(self, values: list[str]) -> str:
        """Values in a row, each to be told from the next."""
        return (self.apart if any("," in value for value in values) else self.several[0]).join(values)

    def quoted(self, title: str) -> str:
        """An item's name."""
        return self.quotes[0] + title + self.quotes[1]


PHRASES: Final[Mapping[Language, Phrases]] = {
    "en": Phrases(
        offer={
            "plain": "We suggest {title}.",
            "warm": "Here is something you might enjoy: {title}.",
            "brief": "{title}.",
        },
        because={
            "plain": "The reason: you chose {past}.",
            "warm": "It came to mind because you chose {past}.",
            "brief": "Because you chose {past}.",
        },
        unreasoned={
            "plain": "Too little is known to say why.",
            "warm": "Too little is known to say why, so see for yourself.",
            "brief": "",
        },
        shared="In common: {values}.",
        field="{name}: {values}.",
        together="Often taken together with {past}.",
        chosen="Choices so far: {count:,}.",
        often="{name}, most often among the {read} latest read: {values}.",
        latest="The latest: {past}.",
        nothing="No choices are known.",
        counted="{value} ({count})",
        several=(", ", " and "),
        apart="; ",
        names={},
        quotes=("", ""),
        space=" ",
    ),
    "zh": Phrases(
        offer={
            "plain": "为您推荐{title}。",
            "warm": "您可能会喜欢{title}。",
            "brief": "{title}。",
        },
        because={
            "plain": "推荐理由：您选择过{past}。",
            "warm": "想到它，是因为您选择过{past}。",
            "brief": "因为您选择过{past}。",
        },
        unreasoned={
            "plain": "目前还说不出推荐的理由。",
            "warm": "目前还说不出推荐的理由，欢迎看看。",
            "brief": "",
        },
        shared="共同点：{values}。",
        field="{name}：{values}。",
        together="常与{past}一起被选择。",
        chosen="选择次数：{count}。",
        often="{name}，在读取的最近{read}次选择中最常见：{values}。",
        latest="最近选择：{past}。",
        nothing="没有已知的选择。",
        counted="{value}（{count}）",
        several=("、", "和"),
        apart="；",
        names={
            "title": "名称",
            "name": "名称",
            "genre": "类型",
            "genres": "类型",
            "category": "类别",
            "categories": "类别",
            "kind": "种类",
            "style": "风格",
            "brand": "品牌",
            "provider": "提供者",
            "author": "作者",
            "director": "导演",
            "year": "年份",
            "price": "价格",
            "color": "颜色",
            "colour": "颜色",
            "material": "材质",
            "description": "简介",
            "summary": "简介",
            "tags": "标签",
        },
        quotes=("“", "”"),
        space="",
    ),
}
