import json

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("sentence_transformers")

import torch

from equipoise.component import Runtime
from equipoise.language import encoder
from equipoise.language.finetuning.network import Network, slope
from equipoise.language.finetuning.settings import FineTuning
from tests.language.finetuning import small

TITLES = small.items()["title"].to_list()


def network(bert, **fields):
    return Network(encoder(f"hf:{bert}"), FineTuning(**fields), Runtime(threads=1))


def moved(trained):
    """The network after a few large steps, and all its weights before them."""
    before = {name: weights.clone() for name, weights in trained._model.state_dict().items()}
    optimiser = torch.optim.Adam(trained.parameters.values(), lr=0.02)
    for _ in range(3):
        optimiser.zero_grad()
        (trained.vectors(TITLES[:8]) @ trained.vectors(TITLES[8:16]).T).mean().backward()
        optimiser.step()
    return before


def test_low_rank_training_touches_its_own_weights_alone(bert, tmp_path):
    pytest.importorskip("peft")
    trained = network(bert, method="lora", rank=4)
    before = moved(trained)
    now = trained._model.state_dict()
    changed = {name for name, weights in now.items() if not torch.equal(weights, before[name])}
    assert changed
    assert all("lora_" in name for name in changed)
    trained.save(tmp_path / "saved")
    merged = network(tmp_path / "saved")._model.state_dict()
    base = network(bert)._model.state_dict()
    assert merged.keys() == base.keys(), "the additions are merged"
    differing = {name for name in base if not torch.equal(merged[name], base[name])}
    assert differing
    assert all(base[name].ndim == 2 and "embeddings" not in name for name in differing)


def test_full_training_moves_embeddings_too(bert):
    trained = network(bert)
    before = moved(trained)
    now = trained._model.state_dict()
    assert any("embeddings.word" in name and not torch.equal(now[name], before[name]) for name in now)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_what_is_saved_encodes_the_same_by_name(bert, tmp_path, method):
    pytest.importorskip("peft")
    trained = network(bert, method=method)
    moved(trained)
    here = trained.encode(TITLES)
    assert not np.allclose(here, network(bert).encode(TITLES), atol=1e-2)
    trained.save(tmp_path / "saved")
    assert np.allclose(encoder(f"hf:{tmp_path / 'saved'}").fit([]).encode(TITLES), here, atol=1e-5)
    modules = json.loads((tmp_path / "saved" / "modules.json").read_text())
    assert any("pooling" in entry["type"].lower() for entry in modules)
    assert not list((tmp_path / "saved").rglob("*.bin"))


def test_long_texts_are_cut_for_training_and_read_whole_for_use(bert):
    trained = network(bert, tokens=4)
    trained._model.eval()
    texts = ["red sock green tea blue saw", "red sock white pen grey oak"]
    whole = trained.encode(texts)
    with torch.no_grad():
        trained._model.train = lambda mode=True: trained._model  # dropout off
        cut = trained.vectors(texts).numpy()
    assert np.allclose(cut[0], cut[1], atol=1e-6)
    assert not np.allclose(whole[0], whole[1], atol=1e-4)
    assert np.allclose(trained.encode(texts), whole, atol=1e-6)


def test_texts_of_any_length_get_their_own_vectors_and_the_gradient_that_they_get_alone(bert):
    """Texts of like length learn together, whatever their order, and as they would one by one."""
    trained = network(bert)
    trained._model.eval()
    trained._model.train = lambda mode=True: trained._model  # dropout off
    texts = [" ".join(["red", "sock", "tea"][: 1 + place % 3] * (1 + place // 3)) for place in range(40)][
        ::-1
    ]
    weights = torch.linspace(-1, 1, 32)
    found, gradients = [], []
    for vectors in (trained.vectors, lambda every: torch.cat([trained.vectors([text]) for text in every])):
        trained._model.zero_grad()
        made = vectors(texts)
        (made @ weights).cumsum(0).sum().backward()
        found.append(made.detach().numpy())
        parts = [part.grad for part in trained.parameters.values() if part.grad is not None]
        gradients.append(torch.cat([part.flatten() for part in parts]))
    assert np.allclose(*found, atol=1e-5)
    assert torch.allclose(*gradients, atol=1e-4)


def test_a_prompt_stands_before_every_text(bert):
    plain = network(bert)
    prompted = Network(encoder(f"hf:{bert}", prompt="red "), FineTuning(), Runtime(threads=1))
    assert np.allclose(prompted.encode(["sock"]), plain.encode(["red sock"]), atol=1e-5)
    assert np.allclose(prompted.vectors(["sock"]).shape, (1, 32))


def test_snapshots_bring_weights_back(bert):
    trained = network(bert)
    kept, before = trained.snapshot(), trained.encode(TITLES[:5])
    moved(trained)
    assert not np.allclose(trained.encode(TITLES[:5]), before, atol=1e-3)
    trained.restore(kept)
    assert np.array_equal(trained.encode(TITLES[:5]), before)


def test_the_step_size_rises_and_falls():
    rates = [slope(step, 10, 0.2) for step in range(10)]
    assert rates[:3] == pytest.approx([0.5, 1.0, 1.0])
    assert rates[3:] == sorted(rates[3:], reverse=True)
    assert rates[-1] == pytest.approx(1 / 8)
    assert slope(0, 1, 0.0) == 1.0
