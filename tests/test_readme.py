"""The README is true: its snippets run, its configuration is the demo's, its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import windtunnel as wt
from windtunnel.cli.app import app


@pytest.fixture(scope="module")
def readme(repository: Path) -> str:
    return (repository / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_two_commands_come_first(readme: str) -> None:
    first = blocks(readme, "console")[0]
    assert re.findall(r"^\$ (make \w+)", first, flags=re.MULTILINE) == ["make demo", "make test"]
    assert readme.index(first) < readme.index("## ")


def test_the_plugin_is_ten_lines_and_runs_from_a_file(readme: str, tmp_path: Path) -> None:
    code = blocks(readme, "python")[0]
    plugin = code[code.index("class ") :].strip().splitlines()
    assert len(plugin) <= 10
    (tmp_path / "dip.py").write_text(code, encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(
        "data: {use: arch, symbols: [SP500], start: 2010}\n"
        "plugins: {files: [dip.py]}\n"
        "strategy: {use: dip, params: {window: 30}}\n"
    )
    assert wt.run(tmp_path / "mine.yaml").metrics["trades"] > 0


def test_the_yaml_is_the_demo(readme: str, repository: Path) -> None:
    demo = (repository / "configs" / "quickstart.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(blocks(readme, "yaml")[0]) == yaml.safe_load(demo)


def test_the_python_example_runs(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(readme, "python")[1], "README.md", "exec"), {})
    assert (tmp_path / "report.html").is_file()


def test_the_demo_says_what_the_readme_says(readme: str, repository: Path, tmp_path: Path) -> None:
    result = wt.run(repository / "configs" / "quickstart.yaml", out=tmp_path)
    shown = " ".join(blocks(readme, "text")[0].split())
    assert result.sentence in shown
    for effect in result.effects:
        assert effect.sentence in shown
    drawn = (tmp_path / "quickstart" / "latest" / "equity.svg").read_text(encoding="utf-8")
    label = re.search(r'aria-label="([^"]+)"', drawn)
    assert label is not None
    assert label.group(0) in (repository / "docs" / "quickstart.svg").read_text(encoding="utf-8")


def test_the_commands_exist(readme: str) -> None:
    table = readme[readme.index("## The commands") : readme.index("Exit codes")]
    for command in re.findall(r"`windtunnel (\w+)", table):
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0, command


def test_every_link_leads_somewhere(readme: str, repository: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)", readme)
    assert targets
    for target in targets:
        assert (repository / target).exists(), target
