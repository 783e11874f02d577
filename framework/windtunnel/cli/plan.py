"""``windtunnel plan``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel.cli.run import ConfigArgument, OutOption, SetOption

if TYPE_CHECKING:
    from windtunnel.cli.estimate import Estimate
    from windtunnel.cli.terminal import Terminal
    from windtunnel.data import Dataset
    from windtunnel.experiment import Loaded

__all__ = ["plan"]


def plan(config: ConfigArgument, assignments: SetOption = None, out: OutOption = Path("results")) -> None:
    """Say what would run, on what, and about how long it would take; nothing is kept."""
    from windtunnel import experiment
    from windtunnel.cli.estimate import estimate
    from windtunnel.cli.header import describe, expected_fits
    from windtunnel.cli.progress import Progress
    from windtunnel.cli.terminal import Terminal
    from windtunnel.data import load
    from windtunnel.runner import describe_data

    terminal = Terminal()
    loaded = experiment.load(config, overrides=assignments or ())
    with Progress(terminal, "data"):
        dataset = load(loaded.source, loaded.experiment.data)
    terminal.field("data", *describe(loaded.resolved(), describe_data(loaded, dataset)))
    _write_plugins(terminal, loaded, expected_fits(loaded, len(dataset.bars)))
    terminal.field("trials", "1")
    with Progress(terminal, "measuring a sample"):
        guess = estimate(loaded, dataset)
    _write_estimate(terminal, guess, len(dataset.bars))
    _write_result(terminal, loaded, dataset, out)


def _write_plugins(terminal: Terminal, loaded: Loaded, fits: Mapping[str, int]) -> None:
    """Write every plugin with its parameters and its package."""
    from windtunnel.cli.header import components, named
    from windtunnel.report.text import counted

    plugins = [loaded.strategy, loaded.regime, *loaded.patterns, loaded.volatility, loaded.scorer]
    used = [plugin for plugin in plugins if plugin is not None]
    for plugin, (kind, section) in zip(used, components(loaded.resolved()), strict=True):
        origin = str(loaded.host.provenance(type(plugin)))
        fitted = fits.get(f"{kind} {plugin.name}")
        terminal.field(
            kind, named(section), origin if fitted is None else f"{origin}, {counted(fitted, 'fit')}"
        )


def _write_estimate(terminal: Terminal, guess: Estimate, bars: int) -> None:
    from windtunnel.report.text import number

    low, high = _seconds(guess.least), _seconds(guess.most)
    measured = (
        f"estimated from the first {number(guess.sample, 0)} of {number(bars, 0)} bars, without the report"
    )
    terminal.field("time", f"about {low if low == high else f'{low} to {high}'}", measured)
    terminal.field("memory", f"about {number(guess.memory / 2**20, 0)} MB", "estimated likewise")


def _seconds(seconds: float) -> str:
    """Return a time in the unit that one would say it in, rounded to what an estimate is worth."""
    for limit, unit, name in ((100, 1, "s"), (6000, 60, "min")):
        if seconds < limit:
            return f"{float(f'{seconds / unit:.2g}'):g} {name}"
    return f"{float(f'{seconds / 3600:.2g}'):g} h"


def _write_result(terminal: Terminal, loaded: Loaded, dataset: Dataset, out: Path) -> None:
    """Write where the run would be kept, and whether it is there already."""
    from windtunnel.runner import find

    run = find(loaded, dataset, out)
    text = "not run before" if run is None else f"run before, so that nothing would be run: {run.folder}"
    terminal.field("result", text)
