"""Train the text encoder on what people chose one after another, and say whether that helped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config, read_config
from equipoise.data import vocabulary as v
from equipoise.errors import ConfigError, MissingExtraError
from equipoise.language import compose, encoder
from equipoise.language.encoders import tidy
from equipoise.language.finetuning.pairs import Pairs, Texts, held_out_pairs, training_pairs
from equipoise.language.finetuning.retrieval import Retrieval
from equipoise.language.finetuning.settings import FineTuning
from equipoise.language.transformer import Transformer
from equipoise.pipeline.finetuned import KEPT, Tuned, begun, claim, identity, put, seal, worth
from equipoise.pipeline.folder import content_hash
from equipoise.pipeline.prepare import prepare

if TYPE_CHECKING:
    from equipoise.language.finetuning.course import Course

_ENCODER: Final = "encoder"


class FineTuned(Tuned):
    """What came of training an encoder; values are recall."""

    @property
    def encoder(self) -> str | None:
        """What to write under `[encoder] name`, where anything was saved."""
        return self.made


def finetune(
    config: Config | Mapping[str, Any] | Path | str,
    *,
    out: Path | str | None = None,
    overrides: Iterable[str] = (),
    seed: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> FineTuned:
    """Fine-tune the encoder of a configuration on pairs of items from its training part.

    Two items are a pair if the same user had them near each other in time. Validation tells when to stop (half of the
    users) and what was gained (the other half); test events are split off first and never looked at. An interrupted
    training goes on when it is asked for again.

    Args:
        config: What `read_config` takes; `[encoder]` names the base, MiniLM where it names none, and `[finetune]` says
            how.
        out: Folder to write into; by default `runs/finetune-<name>`.
        overrides: `section.key=value` settings.
        seed: Root of all random numbers.
        say: Is told in lines what is trained, and what it will cost.

    Returns:
        What came of it. `<out>/encoder` holds the encoder, `<out>/finetuning.json` how it was made.

    Raises:
        ConfigError: if the encoder cannot be fine-tuned, or the time is too short.
        DataError: if there are no texts or too few pairs.
        EquipoiseError: if the folder holds something else already.
        MissingExtraError: if a package is not installed.
        ModelError: if the base cannot be read, or the training falls apart.
    """
    settings = read_config(config, [*overrides, *([] if seed is None else [f"seed={seed}"])])
    how = settings.finetune or FineTuning()
    settings = settings.model_copy(update={"finetune": how})
    folder = Path(out) if out is not None else Path("runs") / f"finetune-{settings.name}"
    claim(folder, _ENCODER)
    base = _base(settings)
    source = base.source()
    runtime = Runtime(seed=settings.seed)
    prepared, data = prepare(settings, runtime)
    if data.items is None or not data.text:
        raise ConfigError(
            "There are no texts to learn from",
            where="no items table" if data.items is None else f"columns: {', '.join(data.items.columns)}",
            todo="Name the text columns of the items under [data] text.",
        )
    spoken = [tidy(text, base.max_characters) for text in compose(data.items, data.text).to_list()]
    texts = Texts.of(data.items[v.ITEM], spoken)
    pairs = training_pairs(prepared.train, texts, window=how.window, days=how.days)
    retrieval = Retrieval.of(
        held_out_pairs(prepared.train, prepared.valid, texts),
        texts.texts,
        k=how.k,
        limit=how.held_out,
        candidates=how.candidates,
        rng=runtime.rng("held out"),
    )
    hashes = {
        "train": content_hash(prepared.train.positives),
        "valid": content_hash(prepared.valid.positives),
        "texts": content_hash(pl.DataFrame({v.ITEM: data.items[v.ITEM], "text": spoken})),
    }
    say(f"Base {_named(base)}, {how.method}: {len(texts.texts):,} distinct texts, {len(pairs):,} pairs")
    kind = identity({"config": settings.digest(), "base": source, **hashes})
    with begun(folder):
        course = _train(base, texts, pairs, retrieval, how, runtime, folder, kind, say)
    result = _judged(folder, _named(base), retrieval, course, settings.seed)
    manifest = {
        "config": settings.model_dump(mode="json"),
        "config_sha256": settings.digest(),
        "base": {"encoder": base.describe(), "sha256": source},
        "data": {"sha256": hashes, "protocol": prepared.protocol, **_counts(texts, pairs, retrieval)},
        "training": course.as_dict(),
        "validation": {
            "metric": f"recall@{how.k} of the next item by the text of the one before, among {retrieval.candidates:,} "
            "texts; mean over users that nothing was chosen by",
            **result.as_dict(),
        },
        "encoder": None if result.encoder is None else f"hf:{_ENCODER}",
    }
    seal(folder, manifest)
    return result


def _train(
    base: Transformer,
    texts: Texts,
    pairs: Pairs,
    retrieval: Retrieval,
    how: FineTuning,
    runtime: Runtime,
    folder: Path,
    kind: str,
    say: Callable[[str], None],
) -> Course:
    """Train, and put the encoder into its folder in one move, if any step was better than the base."""
    try:
        from equipoise.language.finetuning.network import Network
        from equipoise.language.finetuning.training import fine_tune
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "torch", extra="llm", purpose="Fine-tuning") from error
    network = Network(base, how, runtime)
    course = fine_tune(
        network, texts.texts, pairs, retrieval, how, runtime,
        say=say, kept=folder / KEPT, identity=kind,
    )  # fmt: skip
    put(folder, _ENCODER, network.save if course.best else None)
    return course


def _judged(folder: Path, base: str, retrieval: Retrieval, course: Course, seed: int) -> FineTuned:
    """What the users say whom nothing was chosen by."""
    first, last = (retrieval.recall(found.numpy(), stopping=False) for found in (course.before, course.after))
    before, after, gain = worth(first, last, seed)
    made = f"hf:{(folder / _ENCODER).resolve()}" if course.best else None
    return FineTuned(folder, made, base, retrieval.k, before, after, gain, course.stopped)


def _base(settings: Config) -> Transformer:
    """The encoder to begin from.

    Raises:
        ConfigError: if the configured one has no weights that could move.
    """
    section = settings.encoder
    chosen = encoder("minilm" if section.name == "none" else section.name, **section.fields)
    if not isinstance(chosen, Transformer):
        raise ConfigError(
            f"The encoder '{section.name}' cannot be fine-tuned",
            todo="Begin from a transformer: --set encoder.name=minilm, or hf:<folder>.",
        )
    return chosen


def _named(base: Transformer) -> str:
    """An encoder as configurations name it."""
    return f"{base.name}:{getattr(base, base.argument)}" if base.argument else base.name


def _counts(texts: Texts, pairs: Pairs, retrieval: Retrieval) -> dict[str, int]:
    return {
        "texts": len(texts.texts),
        "pairs": len(pairs),
        "held_out_pairs": len(retrieval.anchors),
        "held_out_users": int(retrieval.users.max()) + 1,
        "candidates": retrieval.candidates,
    }
