import pytest

from equipoise import component
from tests.language.finetuning import small


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads that wait for each other cost more than these small matrices."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(component, "usable_cores", lambda: 1)
        yield


@pytest.fixture(scope="session")
def bert(tmp_path_factory):
    """The encoder that knows nothing yet."""
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("torch")
    return small.tiny_bert(tmp_path_factory.mktemp("bert"))
