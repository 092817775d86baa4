"""Many prompts are answered once each, and an interruption loses no more than a batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from equipoise.component import Runtime
from equipoise.endpoint import AnswerError, EndpointError
from equipoise.errors import EquipoiseError
from equipoise.language.generators.generator import Writer
from equipoise.language.generators.prompt import Prompt
from equipoise.language.profiles.cache import TextCache
from equipoise.language.untrusted import cleaned
from equipoise.progress import track

_BATCH = 16  # prompts asked, and texts kept, at once: what an interruption can lose


@dataclass(frozen=True)
class Answers:
    """What came of many prompts.

    Attributes:
        texts: One per prompt, in their order; None where there is none.
        faults: Why there is none; None where there is one, or it was not asked for any more.
        written: Distinct prompts answered now.
        kept: Distinct prompts answered before.
        stopped: The fault that ended it early, one that every further prompt would meet, too; None where all were
            asked.
    """

    texts: list[str | None]
    faults: list[str | None]
    written: int
    kept: int
    stopped: EquipoiseError | None


def answer(prompts: Sequence[Prompt], writer: Writer, cache: TextCache, runtime: Runtime) -> Answers:
    """Ask a generator what it was not asked before.

    Args:
        prompts: May repeat; equal ones are asked once.
        writer: Who answers.
        cache: What was answered before, and where new texts are kept after each batch.
        runtime: Whether progress is shown.

    Raises:
        ModelError: if a local model cannot be loaded.
        DataError: if texts cannot be kept.
    """
    known = {key: text for key, text in cache.read().items() if text}
    keys = [cache.key(prompt) for prompt in prompts]
    asked = {key: prompt for key, prompt in zip(keys, prompts, strict=True) if key not in known}
    kept = len({key for key in keys if key in known})
    faults: dict[str, str] = {}
    stopped: EquipoiseError | None = None
    batches = [list(asked)[start : start + _BATCH] for start in range(0, len(asked), _BATCH)]
    for batch in track(batches, "describing", show=runtime.progress):
        found = writer.attempts([asked[key] for key in batch])
        texts: dict[str, str] = {}
        for key, text in zip(batch, found, strict=True):
            if not isinstance(text, EquipoiseError):
                if seen := cleaned(text).strip():
                    texts[key] = seen
                else:
                    faults[key] = "The answer holds nothing that anybody sees"
            elif isinstance(text, EndpointError) and not isinstance(text, AnswerError):
                stopped = stopped or text
            else:
                faults[key] = text.what
        cache.add(texts)
        known |= texts
        if stopped is not None:
            break
    written = sum(key in known for key in asked)
    return Answers(
        [known.get(key) for key in keys], [faults.get(key) for key in keys], written, kept, stopped
    )
