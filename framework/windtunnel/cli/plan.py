"""``windtunnel plan``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from windtunnel.cli.options import ConfigArgument, OutOption, SetOption

if TYPE_CHECKING:
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
    from windtunnel.reporting.text import counted, number
    from windtunnel.runner import dataset as load_dataset
    from windtunnel.runner import describe_data, find

    terminal = Terminal()
    write = partial(terminal.field, room=12)
    loaded = experiment.load(config, overrides=assignments or ())
    with Progress(terminal, "data"):
        dataset = load_dataset(loaded)
    bars = len(dataset.bars)
    write("data", *describe(loaded.resolved(), describe_data(loaded, dataset)))
    for kind, text, note in _plugins(loaded, expected_fits(loaded, bars)):
        write(kind, text, note)
    write("trials", *(_searched(loaded, dataset) if loaded.search else _trials(loaded)))
    with Progress(terminal, "measuring a sample"):
        guess = estimate(loaded, dataset)
    tried = ""
    if loaded.search is not None:
        tried = f" and {counted(guess.tried, 'trial')}"
    elif loaded.space is not None:
        tried = f" and {number(guess.tried, 0)} of {counted(len(loaded.space), 'combination')}"
    sample = f"estimated from {number(guess.sample, 0)} of {number(bars, 0)} bars{tried}, without the report"
    write("time", _time(guess.least, guess.most), sample)
    write("memory", f"about {number(guess.memory / 2**20, 0)} MB", "estimated likewise")
    run = find(loaded, dataset, out)
    write("result", "not run before" if run is None else f"run before: {run.folder}")


def _plugins(loaded: Loaded, fits: Mapping[str, int]) -> Iterator[tuple[str, str, str]]:
    """Yield kind, parameters and package of every plugin, and how often it would learn."""
    from windtunnel.cli.header import components, named
    from windtunnel.reporting.text import counted

    plugins = [loaded.strategy, loaded.regime, *loaded.patterns, loaded.reliability, loaded.volatility]
    plugins.append(loaded.scorer)
    used = [plugin for plugin in plugins if plugin is not None]
    for plugin, (kind, section) in zip(used, components(loaded.resolved()), strict=True):
        origin = str(loaded.host.provenance(type(plugin)))
        fitted = fits.get(f"{kind} {plugin.name}")
        yield kind, named(section), origin if fitted is None else f"{origin}, up to {counted(fitted, 'fit')}"


def _trials(loaded: Loaded) -> tuple[str, str]:
    """Return how often a strategy is backtested, and what may make it less."""
    from windtunnel.cli.swept import searched
    from windtunnel.reporting.text import counted, number

    space = loaded.space
    if space is None:
        return "1", ""
    product = " × ".join(number(len(values), 0) for values in space.values.values())
    shape = f" ({product})" if len(space.values) > 1 else ""
    section = loaded.experiment.sweep
    space_metric = "" if section is None else section.metric
    note = f"less what {loaded.strategy.name} forbids; then the best by {space_metric}"
    return f"{counted(len(space), 'combination')} of {searched(list(space.names))}{shape}", note


def _searched(loaded: Loaded, dataset: Dataset) -> tuple[str, str]:
    """Return how many parameter sets are tried at most, and how."""
    from windtunnel.reporting.landscape import listed, short_names
    from windtunnel.reporting.text import counted
    from windtunnel.runner.optimizing import trials_in_all

    section, scheme, space = loaded.experiment.optimize, loaded.experiment.validation, loaded.search
    if section is None or scheme is None or space is None:
        return "1", ""
    names = listed(short_names(list(space.dimensions)))
    count = counted(trials_in_all(loaded, dataset), "trial")
    return f"at most {count} of {names}", f"by {section.use}, judged by {scheme.scheme.replace('_', ' ')}"


def _time(least: float, most: float) -> str:
    """Return a range of seconds in the unit in which one would say it, to two digits."""
    if most < 1:
        return "less than 1 s"
    unit, name = (1, "s") if most < 100 else (60, "min") if most < 6000 else (3600, "h")
    low, high = (f"{float(f'{seconds / unit:.2g}'):,g}" for seconds in (least, most))
    return f"about {low if low == high else f'{low} to {high}'} {name}"
