"""What was run, in three or four lines: data, strategy, models, what learns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Terminal
    from windtunnel.experiment import Loaded
    from windtunnel.pipeline import Part
    from windtunnel.values import SearchSpace

__all__ = [
    "components",
    "describe",
    "expected_fits",
    "learning",
    "named",
    "span",
    "timeframe",
    "with_best",
    "with_search",
    "write_data",
    "write_header",
    "write_plugins",
]

_ADVERBS = {
    "hour": "hourly",
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "quarter": "quarterly",
    "year": "yearly",
}
_PARAMS = "strategy.params."
_KINDS = ("strategy", "regime", "patterns", "reliability", "volatility", "scorer")


def write_header(
    terminal: Terminal, config: Mapping[str, Any], data: Mapping[str, Any], fits: Mapping[str, int]
) -> None:
    """Write what was run; the parameters are those of :func:`write_data` and :func:`write_plugins`."""
    write_data(terminal, config, data)
    write_plugins(terminal, config, fits)


def write_data(terminal: Terminal, config: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Write on what it runs.

    Parameters
    ----------
    terminal : Terminal
    config : mapping
        The resolved experiment.
    data : mapping
        The data as a run's manifest describes them.
    """
    terminal.field("data", *describe(config, data))


def write_plugins(
    terminal: Terminal, config: Mapping[str, Any], fits: Mapping[str, int], *, planned: bool = False
) -> None:
    """Write what runs.

    Parameters
    ----------
    terminal : Terminal
    config : mapping
        The resolved experiment, with what a sweep chose.
    fits : mapping of str to int
        Fits of each model that learns, such as ``{"scorer logistic": 30}``.
    planned : bool
        Whether ``fits`` are those of the schedule; a scorer with too few outcomes makes fewer.
    """
    terminal.field("strategy", named(config["strategy"]), _acting(config))
    models = [f"{kind} {section['use']}" for kind, section in components(config) if kind != "strategy"]
    fixed = [model for model in models if model not in fits]
    if fixed:
        terminal.field("models", " · ".join(fixed))
    if fits:
        terminal.field("learning", " · ".join(fits), _schedule(config, fits, "up to " if planned else ""))


def with_best(config: Mapping[str, Any], sweep: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a resolved experiment with the strategy that its sweep chose, as its manifest says."""
    chosen = {} if sweep is None else sweep["best"]
    own = {path.removeprefix(_PARAMS): value for path, value in chosen.items() if path.startswith(_PARAMS)}
    strategy = config["strategy"]
    return {**config, "strategy": {**strategy, "params": {**strategy["params"], **own}}}


def with_search(config: Mapping[str, Any], space: SearchSpace) -> dict[str, Any]:
    """Return a resolved experiment with what is searched in place of the strategy's values."""
    own = {path.removeprefix(_PARAMS): f"{one}" for path, one in space.dimensions.items() if _PARAMS in path}
    strategy = config["strategy"]
    return {**config, "strategy": {**strategy, "params": {**strategy["params"], **own}}}


def learning(loaded: Loaded) -> list[tuple[str, Part[Any, Any]]]:
    """Return section and model of what learns in an experiment, in the order in which it does."""
    from windtunnel.plugin import LearnedStrategy
    from windtunnel.runner import candidate

    parts = candidate(loaded)
    models: list[Part[Any, Any] | None] = [parts.volatility, parts.regime, *parts.patterns]
    named: list[tuple[str, Part[Any, Any]]] = [
        (part.plugin.kind, part) for part in models if part is not None and part.plugin.learns
    ]
    if parts.reliability is not None:
        named.append(("reliability", parts.reliability))
    if isinstance(parts.strategy.plugin, LearnedStrategy):
        named.append(("strategy", parts.strategy))
    return named if parts.scorer is None else [*named, ("scorer", parts.scorer)]


def expected_fits(loaded: Loaded, bars: int) -> dict[str, int]:
    """Return how often each model that learns will be fitted on so many bars."""
    from windtunnel.learn import folds

    return {
        f"{slot} {part.plugin.name}": len(list(folds(part.section, bars))) for slot, part in learning(loaded)
    }


def components(config: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield kind and section of each plugin of an experiment but its data source."""
    for kind in _KINDS:
        section = config[kind]
        for one in section if isinstance(section, list) else [section]:
            if one:
                yield kind, one


def named(section: Mapping[str, Any]) -> str:
    """Return a component as a call: ``sma_cross(fast=20, slow=100)``."""
    from windtunnel.reporting.text import called

    return called(section)


def timeframe(config: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """Say how long a bar is: what the data show, or what the experiment asks for."""
    from windtunnel.reporting.text import bar_word, number

    spacing, section = data.get("spacing"), config["data"]
    found = _ADVERBS.get(bar_word(data["periods_per_year"]))
    if found and (not spacing or spacing == "1h"):
        return found
    length = section["resample"] or section["timeframe"] or spacing
    return f"{length} bars" if length else f"{number(data['periods_per_year'], 0)} bars a year"


def span(data: Mapping[str, Any]) -> str:
    """Return the first and the last time of the data, on the exchange's clock."""
    first, last = (_local(data[end], data["timezone"]) for end in ("start", "end"))
    if first.endswith(" 00:00") and last.endswith(" 00:00"):
        first, last = first[:10], last[:10]
    return f"{first} … {last}"


def _local(time: str, timezone: str | None) -> str:
    """Return a time in UTC as the clock of ``timezone`` shows it, to the minute."""
    if timezone in (None, "UTC"):
        return time[:16].replace("T", " ")
    import pandas as pd

    return pd.Timestamp(time, tz="UTC").tz_convert(timezone).strftime("%Y-%m-%d %H:%M")


def describe(config: Mapping[str, Any], data: Mapping[str, Any]) -> tuple[str, str]:
    """Return what the data are, and where they come from."""
    from windtunnel.reporting.text import counted

    symbols = data["symbols"]
    listed = ", ".join(symbols[:4]) + (f", … ({len(symbols)} symbols)" if len(symbols) > 4 else "")
    parts = [listed, timeframe(config, data), span(data), counted(data["bars"], "bar")]
    parts.append(f"{counted(data['gaps'], 'bar')} missing" if data["gaps"] else "no gaps")
    repaired = sum(data["repairs"].values())
    if repaired:
        parts.append(f"{counted(repaired, 'row')} repaired")
    return ", ".join(parts), data["library"] or f"{data['source']}, {data['provided_by']}"


def _acting(config: Mapping[str, Any]) -> str:
    """Say what stands between the strategy and its orders."""
    from windtunnel.reporting.text import percent

    parts = []
    gate, sizing = config["gate"], config["sizing"]
    if gate:
        parts.append(f"gate: {', '.join(_gate(gate))}")
    limits = []
    if sizing["fraction"] != 1:
        limits.append(f"{percent(sizing['fraction'], 0)} of equity")
    if sizing["equal"]:
        limits.append("equal weights")
    if sizing["fixed_units"] is not None:
        limits.append(f"{sizing['fixed_units']:g} units")
    if sizing["risk"] is not None:
        limits.append(f"{percent(sizing['risk'])} of equity at risk")
    if sizing["target_volatility"] is not None:
        limits.append(f"{percent(sizing['target_volatility'], 0)} volatility")
    if limits:
        parts.append(f"size: {', '.join(limits)}")
    return " · ".join(parts)


def _gate(gate: Mapping[str, Any]) -> Iterator[str]:
    from windtunnel.reporting.text import counted

    regime, pattern = gate["regime"], gate["pattern"]
    if isinstance(regime, Mapping):
        yield f"not {' or '.join(regime['not'])}"
    elif regime:
        yield " or ".join(regime)
    if pattern:
        within = counted(gate["within"], "bar")
        words = {"same": "a pattern its way", "not_opposite": "no pattern against it"}
        yield f"{words.get(pattern, f'a {pattern} pattern')} within {within}"


def _schedule(config: Mapping[str, Any], fits: Mapping[str, int], at_most: str) -> str:
    from windtunnel.reporting.text import counted

    sections = {f"{kind} {section['use']}": section for kind, section in components(config)}
    every = " / ".join(dict.fromkeys(f"{sections[model]['refit']:,}" for model in fits))
    bars = "bar" if every == "1" else "bars"
    return f"refit every {every} {bars}, {at_most}{counted(sum(fits.values()), 'fit')}"
