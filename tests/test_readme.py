"""The snippets of the readme run, and its configuration is one that can be read."""

import re
from pathlib import Path

import pytest

from equipoise.audit.policy import Policy
from equipoise.config import read_config

ROOT = Path(__file__).parents[1]


def blocks(name, language):
    text = (ROOT / name).read_text("utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_python_snippets_run_in_order(name, capsys):
    snippets = blocks(name, "python")
    assert snippets
    names: dict[str, object] = {}
    for snippet in snippets:
        exec(compile(snippet, name, "exec"), names)
    if name == "README.md":
        assert "nobody yet" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_configuration_of_the_readme_is_read(name, tmp_path):
    (text,) = [block for block in blocks(name, "toml") if "[data]" in block]
    path = tmp_path / "shop.toml"
    path.write_text(text, "utf-8")
    config = read_config(path)
    assert config.model.name == "sequence"
    assert [section.method for section in config.debias] == ["clipped_ips", "exposure"]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_policy_of_the_readme_is_read(name, tmp_path):
    (text,) = [block for block in blocks(name, "toml") if "[launch]" in block]
    path = tmp_path / "policy.toml"
    path.write_text(text, "utf-8")
    policy = Policy.read(path)
    assert policy.launch.minimum_gain == 0.0005
    assert [rule.metric for rule in policy.rules] == ["ndcg@10"]


def test_links_of_the_readmes_lead_somewhere():
    for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / name).read_text("utf-8")):
            assert target.startswith("http") or (ROOT / target).exists(), f"{name}: {target}"
