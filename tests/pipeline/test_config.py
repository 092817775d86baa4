import tomllib

import pytest

from equipoise.config import built_in, read_config
from equipoise.errors import ConfigError, ModelError
from equipoise.language.generators import generator

MINIMAL = {"data": {"events": "clicks.csv"}}


def toml(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    return path


def test_resolved_configuration_reads_back_the_same(tmp_path):
    config = read_config(
        {
            **MINIMAL,
            "model": {"name": "ease", "reg": 20.0},
            "debias": [{"method": "clipped_ips", "clip": 5.0}],
        }
    )
    again = read_config(toml(tmp_path, config.to_toml()))
    assert again == config
    assert again.digest() == config.digest()


def test_paths_are_relative_to_the_file(tmp_path):
    config = read_config(
        toml(tmp_path, '[data]\nevents = ["clicks.csv", {path = "buys.csv", event = "purchase"}]\n')
    )
    assert config.data.events[0] == str(tmp_path / "clicks.csv")
    assert config.data.events[1].path == str(tmp_path / "buys.csv")


def test_urls_stay_as_they_are():
    config = read_config({"data": {"events": "postgresql://host/shop#clicks"}})
    assert config.data.events == "postgresql://host/shop#clicks"


@pytest.mark.parametrize(
    ("setting", "path", "value"),
    [
        ("seed=7", ("seed",), 7),
        ("audit.level=0.9", ("audit", "level"), 0.9),
        ("audit.k=[5]", ("audit", "k"), (5,)),
        ("name=shop", ("name",), "shop"),
        ("debias.0.clip=3", ("debias", 0, "clip"), 3),
    ],
)
def test_overrides(setting, path, value):
    config = read_config({**MINIMAL, "debias": [{"method": "clipped_ips", "clip": 5.0}]}, [setting])
    here = config
    for key in path:
        here = here[key] if isinstance(key, int) else getattr(here, key)
    assert here == value


def test_another_model_leaves_the_fields_of_the_first_behind():
    config = read_config({**MINIMAL, "model": {"name": "sequence", "epochs": 3}}, ["model.name=ease"])
    assert config.model.fields == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({**MINIMAL, "modle": {"name": "ease"}}, ["modle", "Did you mean 'model'"]),
        ({"data": {"event": "clicks.csv"}}, ["'event'", "[data]", "Did you mean 'events'"]),
        ({**MINIMAL, "audit": {"k": []}}, ["k"]),
        ({**MINIMAL, "audit": {"k": [0]}}, ["start at 1"]),
        ({**MINIMAL, "seed": "seven"}, ["seed", "'seven'"]),
        ({**MINIMAL, "report": {"lang": "fr"}}, ["lang", "'fr'"]),
        ({}, ["'data' is missing"]),
        ({"data": {}}, ["say where the data is"]),
        ({"data": {"events": "a.csv", "world": {"name": "storefront"}}}, ["not both"]),
        ({**MINIMAL, "tune": {"space": {"reg": {"low": 5.0, "high": 1.0}}}}, ["below"]),
    ],
)
def test_faults_are_named(fields, words):
    with pytest.raises(ConfigError) as caught:
        read_config(fields)
    for word in words:
        assert word in str(caught.value)


def test_broken_toml_names_the_line(tmp_path):
    with pytest.raises(ConfigError, match=r"line 2.*config\.toml"):
        read_config(toml(tmp_path, "name = 'x'\nseed = = 1\n"))


def test_missing_file_points_to_init(tmp_path):
    with pytest.raises(ConfigError, match="equipoise init"):
        read_config(tmp_path / "absent.toml")


@pytest.mark.parametrize("setting", ["seed", "=3", "debias.4.clip=1"])
def test_settings_that_are_none(setting):
    with pytest.raises(ConfigError, match=r"setting|entry"):
        read_config(MINIMAL, [setting])


@pytest.mark.parametrize("light", [False, True])
def test_built_in_configuration_is_whole(light):
    config = built_in(light)
    assert tomllib.loads(config.to_toml())["data"]["world"]["name"] == "storefront"
    assert config.model.name == ("ease" if light else "sequence")


def test_the_callers_mapping_is_left_alone():
    mine = {"data": {"events": "a.csv"}, "model": {"name": "ease", "reg": 5.0}}
    read_config(mine, ["model.reg=7.0"])
    assert mine["model"]["reg"] == 5.0


def test_a_field_without_a_value_is_refused():
    with pytest.raises(ConfigError, match="clip"):
        read_config({**MINIMAL, "debias": [{"method": "clipped_ips", "clip": None}]})


@pytest.mark.parametrize(
    "address", ["postgresql://me:secret@host/shop#clicks", "https://me:secret@host/clicks.csv"]
)
def test_a_password_in_an_address_is_refused_and_not_repeated(address):
    with pytest.raises(ConfigError, match="environment") as caught:
        read_config({"data": {"events": address}})
    assert "secret" not in str(caught.value)
    assert read_config({"data": {"events": address.replace("secret", "${PASSWORD}")}}).data.events


def test_every_path_of_a_file_is_relative_to_it_and_every_override_to_the_person(tmp_path, monkeypatch):
    text = '[data]\nevents = "sqlite:///shop.db#clicks"\n[encoder]\nname = "vectors:images.parquet"\n'
    path = toml(tmp_path, text)
    config = read_config(path)
    assert config.data.events == f"sqlite:///{tmp_path}/shop.db#clicks"
    assert config.encoder.name == f"vectors:{tmp_path}/images.parquet"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_config(path, ["data.users=people.csv"]).data.users == str(
        tmp_path / "elsewhere" / "people.csv"
    )


def test_paths_of_parts_inside_parts_are_relative_to_the_file_too(tmp_path, monkeypatch):
    """A folder beside the file, a name that can only be a path, and names of published models, which stay."""
    (tmp_path / "tuned" / "encoder").mkdir(parents=True)
    path = toml(
        tmp_path,
        """
[data]
world = { name = "storefront" }
[encoder]
name = "concat"
modalities = [{ name = "hf:tuned/encoder" }, { name = "vectors:sounds.parquet" }, { name = "hf:intfloat/e5" }]
[model]
name = "blend"
models = [
  { name = "llm_ranker", generator = "lora:tuned/additions", base = { name = "sequence", start = "runs/old" } },
  { name = "llm_ranker", generator = "hf:./model", base = { name = "warm", model = { name = "ease" } } },
]
[[debias]]
method = "multitask"
gazetteer = "names.txt"
""",
    )
    config = read_config(path)
    here = str(tmp_path)
    names = [one["name"] for one in config.encoder.fields["modalities"]]
    assert names == [f"hf:{here}/tuned/encoder", f"vectors:{here}/sounds.parquet", "hf:intfloat/e5"]
    first, second = config.model.fields["models"]
    assert first["generator"] == f"lora:{here}/tuned/additions"
    assert first["base"]["start"] == f"{here}/runs/old"
    assert second["generator"] == f"hf:{here}/model"
    assert config.debias[0].fields["gazetteer"] == f"{here}/names.txt"
    assert read_config(toml(tmp_path, config.to_toml())).digest() == config.digest()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    told = read_config(path, ["model.models.0.base.start=new", "model.models.1.generator=lora:other"])
    first, second = told.model.fields["models"]
    assert first["base"]["start"] == f"{here}/elsewhere/new"
    assert second["generator"] == f"lora:{here}/elsewhere/other"


def test_a_folder_that_is_missing_is_told_where_it_was_looked_for(tmp_path):
    pytest.importorskip("transformers")
    text = (
        '[data]\nworld = { name = "storefront" }\n[model]\nname = "llm_ranker"\nbase = { name = "popular" }\n'
    )
    config = read_config(toml(tmp_path, f'{text}generator = "lora:runs/tuned/additions"\n'))
    with pytest.raises(ModelError, match="no folder of additions") as caught:
        generator(config.model.fields["generator"]).open()
    assert f"{tmp_path}/runs/tuned/additions" in str(caught.value)


def test_what_explanations_say_changes_no_run():
    plain = read_config(MINIMAL)
    said = read_config({**MINIMAL, "explain": {"graph": "gender -> activity", "sensitive": "gender"}})
    assert said.explain.sensitive == "gender"
    assert said.digest() == plain.digest()
