"""Train the language model of a ranker on what people chose next, and say whether that helped."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import polars as pl

from equipoise.component import Runtime
from equipoise.config import Config, read_config
from equipoise.data import Dataset
from equipoise.errors import ConfigError, MissingExtraError
from equipoise.language.finetuning.settings import RankerTuning
from equipoise.language.generators import generator
from equipoise.language.generators.local import LocalModel
from equipoise.models import models
from equipoise.models.llm_ranker import LLMRanker
from equipoise.pipeline.encode import encode
from equipoise.pipeline.finetuned import KEPT, Tuned, begun, claim, identity, put, seal, worth
from equipoise.pipeline.folder import content_hash
from equipoise.pipeline.prepare import prepare

_ADDITIONS: Final = "additions"


class TunedRanker(Tuned):
    """What came of training a ranker's language model; values are NDCG."""

    @property
    def generator(self) -> str | None:
        """What to write as `[model] generator`, where anything was saved."""
        return self.made


def finetune_ranker(
    config: Config | Mapping[str, Any] | Path | str,
    *,
    out: Path | str | None = None,
    overrides: Iterable[str] = (),
    seed: int | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> TunedRanker:
    """Train low-rank additions to the language model of an `llm_ranker`, by what people chose next in training.

    The last training event of each history is what the model is to prefer among the candidates of a base that has not
    seen it. People of their own tell when to stop, and others what was gained; validation and test events are split
    off first and never looked at. An interrupted training goes on when it is asked for again.

    Args:
        config: What `read_config` takes; `[model]` names the ranker, `[finetune_ranker]` says how.
        out: Folder to write into; by default `runs/finetune-<name>`.
        overrides: `section.key=value` settings.
        seed: Root of all random numbers.
        say: Is told in lines what is trained, and what it will cost.

    Returns:
        What came of it. `<out>/additions` holds what was trained, `<out>/finetuning.json` how.

    Raises:
        ConfigError: if the model is no ranker by log-probability of a model on this machine, or the time is too short.
        DataError: if there are too few choices.
        EquipoiseError: if the folder holds something else already.
        MissingExtraError: if a package is not installed.
        ModelError: if the base cannot be read, or the training falls apart.
    """
    settings = read_config(config, [*overrides, *([] if seed is None else [f"seed={seed}"])])
    how = settings.finetune_ranker or RankerTuning()
    settings = settings.model_copy(update={"finetune_ranker": how})
    folder = Path(out) if out is not None else Path("runs") / f"finetune-{settings.name}"
    claim(folder, _ADDITIONS)
    ranker, base = _taught(settings)
    source, runtime = base.source(), Runtime(seed=settings.seed)
    prepared, _ = prepare(settings, runtime)
    return _trained(
        ranker, base, source, prepared.train, settings, how, folder, runtime, say, prepared.protocol
    )


def _trained(
    ranker: LLMRanker,
    base: LocalModel,
    source: str,
    train: Dataset,
    settings: Config,
    how: RankerTuning,
    folder: Path,
    runtime: Runtime,
    say: Callable[[str], None],
    protocol: Mapping[str, Any],
) -> TunedRanker:
    try:
        from equipoise.models.llm_ranker.tuning.examples import lessons
        from equipoise.models.llm_ranker.tuning.learning import RankerLearning
        from equipoise.models.llm_ranker.tuning.network import Network
    except ModuleNotFoundError as error:
        raise MissingExtraError(error.name or "torch", extra="llm", purpose="Fine-tuning a ranker") from error
    found = lessons(ranker, train, encode(settings, train, runtime), how, runtime)
    network = Network(base, how.rank, runtime)
    learning = RankerLearning(network, found, how, runtime)
    texts = found.model.texts
    hashes = {
        "train": content_hash(train.positives),
        "texts": content_hash(pl.DataFrame({"name": texts.names, "text": texts.texts})),
    }
    say(
        f"Base {ranker.generator}: {len(learning.learned):,} choices to learn from, {len(learning.held_out):,} to "
        f"judge by; {sum(one.numel() for one in network.parameters.values()):,} weights move"
    )
    kind = identity({"config": settings.digest(), "base": source, **hashes})
    with begun(folder):
        course = learning.run(say, folder / KEPT, kind)
    put(folder, _ADDITIONS, (lambda draft: network.save(draft, base)) if course.best else None)
    first, last = (one.double().numpy()[1::2] for one in (course.before, course.after))
    before, after, gain = worth(first, last, settings.seed)
    made = f"lora:{(folder / _ADDITIONS).resolve()}" if course.best else None
    result = TunedRanker(folder, made, ranker.generator, how.k, before, after, gain, course.stopped)
    seal(
        folder,
        {
            "config": settings.model_dump(mode="json"),
            "config_sha256": settings.digest(),
            "base": {"generator": base.describe(), "sha256": source},
            "data": {
                "sha256": hashes,
                "protocol": dict(protocol),
                "choices": len(learning.learned),
                "held_out": len(learning.held_out),
                "looked_at": found.asked,
            },
            "training": course.as_dict(),
            "validation": {
                "metric": f"NDCG@{how.k} of the last training choice of people who were not learned from, where it is "
                "among the base's candidates; one shift of the candidates; mean over people that nothing was chosen by",
                **result.as_dict(),
            },
            "generator": None if result.generator is None else f"lora:{_ADDITIONS}",
        },
    )
    return result


def _taught(settings: Config) -> tuple[LLMRanker, LocalModel]:
    """The ranker, and the generator that is to learn.

    Raises:
        ConfigError: if the model is another one, or its language model has no weights on this machine.
    """
    ranker = models.build(settings.model.name, settings.model.fields)
    if not isinstance(ranker, LLMRanker):
        raise ConfigError(
            f"The model '{settings.model.name}' has no language model to train",
            where="section [finetune_ranker]",
            todo='Set [model] name = "llm_ranker", or train the encoder by [finetune].',
        )
    base = generator(ranker.generator, **ranker.settings)
    if not isinstance(base, LocalModel) or ranker.mode == "answer" or base.name == "lora":
        raise ConfigError(
            "The ranker cannot be trained: what learns is a language model on this machine that ranks by likelihood, "
            "without additions yet",
            where=f'generator = "{ranker.generator}", mode = "{ranker.mode}"',
            todo='Set [model] generator = "smollm2" or "hf:<folder>", and mode = "likelihood".',
        )
    return ranker, base
