import json

import polars as pl
import pytest

from equipoise.config import read_config
from equipoise.errors import EquipoiseError
from equipoise.pipeline.folder import RunFolder, content_hash

CONFIG = read_config({"data": {"world": {"name": "storefront"}}})


def test_a_stage_counts_only_when_it_ended(tmp_path):
    folder = RunFolder.open(tmp_path / "run", CONFIG, resume=False)
    with folder.stage("prepare") as stage:
        stage.facts["rows"] = 3
    with pytest.raises(RuntimeError), folder.stage("encode"):
        raise RuntimeError
    resumed = RunFolder.open(tmp_path / "run", CONFIG, resume=True)
    assert list(resumed.manifest["stages"]) == ["prepare"]
    assert resumed.manifest["stages"]["prepare"]["rows"] == 3
    with resumed.stage("prepare") as stage:
        assert stage.done
    with resumed.stage("encode") as stage:
        assert not stage.done


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    folder = RunFolder(tmp_path)
    folder.write_json("metrics.json", {"old": 1})

    def fail(path):
        path.write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        folder._whole("metrics.json", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["metrics.json"]
    assert folder.read_json("metrics.json") == {"old": 1}


def test_numbers_that_are_not_finite_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        RunFolder(tmp_path).write_json("metrics.json", {"value": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_a_finished_run_is_not_written_over(tmp_path):
    RunFolder.open(tmp_path / "run", CONFIG, resume=False).finish()
    with pytest.raises(EquipoiseError, match="holds a run already"):
        RunFolder.open(tmp_path / "run", CONFIG, resume=False)


def test_another_configuration_cannot_resume(tmp_path):
    RunFolder.open(tmp_path / "run", CONFIG, resume=False)
    other = read_config(CONFIG, ["seed=9"])
    with pytest.raises(EquipoiseError, match="another configuration"):
        RunFolder.open(tmp_path / "run", other, resume=True)


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(EquipoiseError, match="other files"):
        RunFolder.open(tmp_path, CONFIG, resume=False)
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_a_broken_manifest_is_told(tmp_path):
    RunFolder.open(tmp_path / "run", CONFIG, resume=False)
    (tmp_path / "run" / "manifest.json").write_text("{")
    with pytest.raises(EquipoiseError, match="cannot be read"):
        RunFolder.open(tmp_path / "run", CONFIG, resume=True)


def test_manifest_names_versions_and_configuration(tmp_path):
    RunFolder.open(tmp_path / "run", CONFIG, resume=False)
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["status"] == "running"
    assert {"python", "polars", "numpy"} <= manifest["versions"].keys()
    assert manifest["config_sha256"] == CONFIG.digest()


def test_content_hash_sees_a_cell_a_name_and_the_order():
    frame = pl.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert content_hash(frame) == content_hash(frame.clone())
    for other in (frame.rename({"a": "c"}), frame.reverse(), frame.with_columns(pl.Series("a", [1, 3]))):
        assert content_hash(other) != content_hash(frame)


def test_a_folder_with_a_configuration_of_its_own_is_not_taken_for_a_run(tmp_path):
    (tmp_path / "config.toml").write_text("# my comments")
    with pytest.raises(EquipoiseError, match="other files"):
        RunFolder.open(tmp_path, CONFIG, resume=False)
    assert (tmp_path / "config.toml").read_text() == "# my comments"
