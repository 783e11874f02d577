from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import windtunnel

Invoke = Callable[..., Result]

RAISING = """\
from windtunnel import Strategy
class Raising(Strategy):
    '''Raises.'''
    name = "raising"
    def exposure(self, market):
        raise ZeroDivisionError("no luck")
"""


def refused(done: Result, code: int, *patterns: str) -> None:
    """Assert that a command said why, on stderr, without a traceback."""
    assert done.exit_code == code, done.output
    for pattern in patterns:
        assert re.search(pattern, done.stderr), done.stderr
    assert "Traceback" not in done.output


def test_a_file_that_is_not_there(invoke: Invoke, small: Path):
    refused(
        invoke("run", "smal.yaml"),
        2,
        r"^smal\.yaml: no such file\. Did you mean small\.yaml\?\n1 mistake; nothing was run\.\n$",
    )


def test_broken_yaml(invoke: Invoke, here: Path):
    Path("broken.yaml").write_text("data: {use: arch\nstrategy: x\n")
    refused(invoke("run", "broken.yaml"), 2, r"^broken\.yaml:2: not valid YAML")


def test_all_mistakes_at_once_each_at_its_line(invoke: Invoke, small: Path):
    small.write_text(small.read_text().replace("fast:", "fsat:").replace("0.001", "-0.001"))
    refused(
        invoke("run", small),
        2,
        r"small\.yaml:3: strategy\.params\.fsat: unknown parameter of sma_cross\. Did you mean fast\?",
        r"small\.yaml:4: backtest\.fees: must be at least 0 \(got -0\.001\)",
        r"2 mistakes; nothing was run\.\n$",
    )
    assert not Path("results").exists()


@pytest.mark.parametrize("command", ["run", "plan", "verify", "data show"])
def test_every_command_that_takes_an_experiment_refuses_it_alike(invoke: Invoke, small: Path, command: str):
    refused(
        invoke(*command.split(), small, "--set", "seeed=1"),
        2,
        r"^--set: seeed: unknown key\. Did you mean seed\?",
    )
    refused(
        invoke(*command.split(), small, "--set", "data.start=2050"),
        2,
        r"no bars from 2050 to the end.* \[empty\]",
    )


def test_wrong_usage_is_2_too(invoke: Invoke):
    refused(invoke("rum"), 2, r"Did you mean 'run'\?")
    refused(invoke("run"), 2, r"Missing argument 'CONFIG'")
    refused(invoke("run", "x.yaml", "--frce"), 2, r"No such option")


@pytest.mark.parametrize("command", ["run", "plan"])
def test_a_plugin_that_raises_is_named(invoke: Invoke, small: Path, command: str):
    Path("raising.py").write_text(RAISING)
    small.write_text("data: {use: arch}\nstrategy: raising\nplugins: {files: [raising.py]}\n")
    done = invoke(command, small)
    refused(
        done, 3, r"strategy raising failed to state its exposure.*: ZeroDivisionError: no luck", "--debug"
    )
    assert not Path("results").exists() or not list(Path("results").glob("*/*/*"))

    debugged = invoke("--debug", command, small)
    assert debugged.exit_code == 3
    assert re.search(r'raising\.py", line 6', debugged.stderr)


def test_a_bug_is_one_line(invoke: Invoke, small: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr("windtunnel.experiment.load", fail)
    done = invoke("run", small)
    refused(done, 3)
    assert done.stderr == (
        "unexpected error: RuntimeError: two lines; "
        "this is a bug; run windtunnel --debug … for the traceback\n"
    )
    assert "Traceback (most recent call last)" in invoke("--debug", "run", small).stderr


def test_out_is_refused_before_any_work(invoke: Invoke, small: Path, monkeypatch: pytest.MonkeyPatch):
    Path("file").write_text("")
    monkeypatch.setattr("windtunnel.experiment.load", lambda *_, **__: pytest.fail("loaded"))
    for out in ("file", "file/below"):
        refused(invoke("run", small, "--out", out), 2, r"^--out: must be a folder that can be written to")


def test_a_file_that_cannot_be_written(invoke: Invoke, here: Path):
    refused(invoke("schema", "--output", "none/schema.json"), 2, r"No such file or directory\n$")


def test_the_version(invoke: Invoke):
    done = invoke("--version")
    assert (done.exit_code, done.stdout) == (0, f"windtunnel {windtunnel.__version__}\n")


@pytest.mark.parametrize(
    "command",
    [
        *(
            "",
            "run",
            "plan",
            "init",
            "schema",
            "plugins",
            "plugins list",
            "plugins show",
            "data",
            "data show",
        ),
        *("results", "results list", "results show", "results open"),
        *("models", "models list", "models show", "models verify", "models prune", "models track"),
    ],
)
def test_every_help_text_is_a_sentence(invoke: Invoke, command: str):
    done = invoke(*command.split(), "--help")
    assert done.exit_code == 0
    usage, sentence = [line.strip() for line in done.stdout.splitlines() if line.strip()][:2]
    assert usage.startswith(f"Usage: windtunnel {command}".strip())
    assert re.match(r"[A-Z][a-z]+ ", sentence)


def test_a_full_disk_is_no_bug(invoke: Invoke, small: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "Error writing bytes to file. Detail: …")

    monkeypatch.setattr("windtunnel.reporting.write_report", fail)
    done = invoke("run", small)
    refused(done, 3, r"^cannot write results/small/[0-9a-f]+: No space left on device\n$")
    assert not Path("results").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX limits")
def test_a_file_that_may_not_grow_is_named(small: Path):
    code = (
        "import resource, sys\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "from windtunnel.cli import main\n"
        "sys.argv = ['windtunnel', 'run', 'small.yaml']\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 3, done.stderr
    assert re.fullmatch(r"cannot write results/small/[^.]+: File too large\n", done.stderr)
    assert not Path("results").exists()


def test_a_place_that_is_read_only_is_refused_alike(
    invoke: Invoke, small: Path, monkeypatch: pytest.MonkeyPatch
):
    real = os.access
    monkeypatch.setattr("os.access", lambda path, mode: mode != os.W_OK and real(path, mode))
    refused(invoke("run", small, "--out", "there"), 2, r"^--out: must be a folder that can be written to")
    refused(invoke("init", "there"), 2, r"^DIR: must be a folder that can be written to")
    assert not Path("there").exists()


def test_a_read_only_file_system_is_wrong_input(invoke: Invoke, here: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, "no", "there/config.yaml")

    monkeypatch.setattr(Path, "write_text", fail)
    refused(invoke("init", "there"), 2, r"^cannot write there/config\.yaml: Read-only file system\n$")


@pytest.mark.parametrize("name", ["baselines", "assets", "Assets"])
def test_a_name_of_a_shared_folder_is_reserved(invoke: Invoke, small: Path, name: str):
    done = invoke("run", small, "--set", f"name={name}")
    refused(done, 2, rf"name: is reserved for a folder beside the runs \(got '{name}'\)")
    assert not Path("results").exists()
    assert invoke("init", name).exit_code == 0
    assert "name: starter" in Path(name, "config.yaml").read_text()
