"""``windtunnel advise``."""

from __future__ import annotations

import sys
from contextlib import nullcontext, redirect_stdout
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from windtunnel.cli.options import ConfigArgument, JsonOption, OutOption, SetOption, require_writable

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Column, Terminal
    from windtunnel.runner.advice import Advice, PatternAdvice, SignalAdvice, Volatility

__all__ = ["advise"]

_ROOM = 12
_SIDES = {1: "bullish", -1: "bearish", 0: "neither way"}


def advise(
    config: ConfigArgument,
    symbols: Annotated[
        list[str] | None, typer.Option("--symbol", metavar="SYMBOL", help="Only this one; repeatable.")
    ] = None,
    assignments: SetOption = None,
    out: OutOption = Path("results"),
    as_json: JsonOption = False,
) -> None:
    """Say what the models of an experiment make of the last bar: one answer a symbol.

    Regime, ranked strategies, patterns, volatility and the score of an entry, each with its confidence. The
    answer is kept in DIR/advice; asked again on the same data, it comes from there.
    """
    from windtunnel import experiment, runner
    from windtunnel.cli.header import expected_fits
    from windtunnel.cli.progress import Progress
    from windtunnel.cli.terminal import Terminal
    from windtunnel.runner.advice import advise as answer

    terminal = Terminal()
    require_writable("--out", out)
    loaded = experiment.load(config, overrides=assignments or ())
    aside = redirect_stdout(sys.stderr) if as_json else nullcontext()
    with aside, Progress(terminal, "data", silent=as_json) as progress:
        dataset = runner.dataset(loaded)
        columns = {dataset.bars.column(symbol) for symbol in symbols or dataset.bars.symbols}
        progress.expect(sum(expected_fits(loaded, len(dataset.bars)).values()), "models")
        answers = answer(loaded, dataset, out=out, tick=progress.tick)
    asked = [one for one in answers if dataset.bars.column(one.symbol) in columns]
    if as_json:
        terminal.json({"advice": [one.model_dump(mode="json") for one in asked]})
        return
    for place, one in enumerate(asked):
        if place:
            terminal.say()
        _write(terminal, one)


def _write(terminal: Terminal, advice: Advice) -> None:
    from windtunnel.reporting.text import number, percent

    write = partial(terminal.field, room=_ROOM)
    terminal.say(f"{advice.symbol}  {number(advice.close)} at {advice.time}", style="bold")
    regime = advice.regime
    if regime is not None:
        write("regime", regime.name, f"{percent(regime.confidence, 0)} sure")
    write("hold", _held(advice), advice.reason or f"says {advice.strategy}")
    for place, pattern in enumerate(advice.patterns):
        write("" if place else "patterns", *_pattern(pattern))
    if advice.volatility is not None:
        write("volatility", *_expected(advice.volatility))
    if advice.signal is not None:
        write("signal", *_scored(advice.signal))
    if advice.ranked:
        _write_ranking(terminal, advice)
    if advice.learned:
        models = ", ".join(f"{model} {time}" for model, time in advice.learned.items())
        write("learned", f"until: {models}")


def _held(advice: Advice) -> str:
    from windtunnel.reporting.text import percent

    if not advice.exposure:
        return "nothing"
    return f"{percent(abs(advice.exposure), 0)} {'long' if advice.exposure > 0 else 'short'}"


def _write_ranking(terminal: Terminal, advice: Advice) -> None:
    from windtunnel.reporting.text import percent

    rows = [
        [
            one.candidate,
            percent(one.expected, signed=True),
            percent(one.probability, 0),
            percent(one.risk, 0),
            "followed" if one.chosen else "",
        ]
        for one in advice.ranked
    ]
    columns: list[Column] = [
        (f"over the next {advice.ahead} bars", "left"),
        ("expected", "right"),
        ("best", "right"),
        ("loses", "right"),
        ("", "left"),
    ]
    terminal.table(columns, rows, flexible=0)


def _pattern(pattern: PatternAdvice) -> tuple[str, str]:
    from windtunnel.reporting.text import counted, number, percent

    ago = f"{counted(pattern.bars_ago, 'bar')} ago" if pattern.bars_ago else "on this bar"
    notes = [f"{percent(pattern.confidence, 0)} sure"]
    if pattern.success is not None:
        notes.append(f"paid in {percent(pattern.success, 0)} of {counted(pattern.trials, 'case')}")
    levels = (("target", pattern.target), ("stop", pattern.stop))
    notes += [f"{name} {number(level)}" for name, level in levels if level is not None]
    return f"{pattern.type}, {_SIDES[pattern.direction]}, {ago}", ", ".join(notes)


def _expected(forecast: Volatility) -> tuple[str, str]:
    from windtunnel.reporting.text import counted, percent

    text = f"{percent(forecast.mean)} a year over {counted(forecast.horizon, 'bar')}"
    if forecast.low is None or forecast.high is None:
        return text, ""
    sure = "" if forecast.coverage is None else f", {percent(forecast.coverage, 0)} sure"
    return text, f"[{percent(forecast.low)}, {percent(forecast.high)}]{sure}"


def _scored(signal: SignalAdvice) -> tuple[str, str]:
    from windtunnel.reporting.text import percent

    side = "long" if signal.direction > 0 else "short"
    if signal.probability is None:
        return f"enter {side}", "the scorer has no opinion"
    asked = "" if signal.threshold is None else f" (asked: {percent(signal.threshold, 0)})"
    text = f"enter {side}: {signal.action}, wins with {percent(signal.probability, 0)}{asked}"
    notes = [] if signal.confidence is None else [f"{percent(signal.confidence, 0)} sure"]
    notes += [f"{signal.risk} risk"] if signal.risk else []
    moved = [f"{name} {'for' if by > 0 else 'against'} it" for name, by in signal.factors.items()]
    return text, ", ".join(notes + moved)
