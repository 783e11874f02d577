"""What a sweep found, in three lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windtunnel.cli.terminal import Terminal

__all__ = ["searched", "write_sweep"]


def write_sweep(terminal: Terminal, sweep: Mapping[str, Any], seconds: float) -> None:
    """Write how much was tried in what time, the best of it, and what its neighbours say.

    Parameters
    ----------
    terminal : Terminal
    sweep : mapping
        As a run's manifest describes it.
    seconds : float
    """
    from windtunnel.reporting.text import counted, number, percent, plain

    tried = f"{counted(sweep['combinations'], 'combination')} of {searched(sweep['parameters'])}"
    took = f" in {number(seconds, 1 if seconds < 10 else 0)} s"
    why = f" ({sweep['why']})" if sweep["why"] else ""
    left = f", {number(sweep['left_out'], 0)} left out{why}" if sweep["left_out"] else ""
    terminal.field("sweep", f"{tried}{took}{left}")
    metrics = {name: float("nan") if value is None else value for name, value in sweep["metrics"].items()}
    chosen = ", ".join(f"{path.rpartition('.')[2]}={plain(value)}" for path, value in sweep["best"].items())
    figures = [
        f"Sharpe {number(metrics['sharpe'])}",
        f"total return {percent(metrics['total_return'], signed=True)}",
        f"worst drawdown {percent(metrics['max_drawdown'])}",
        counted(metrics["trades"], "trade"),
    ]
    terminal.field("best", chosen, f"{', '.join(figures)}")
    terminal.field("around", sweep["sentence"])


def searched(names: list[str]) -> str:
    """Return the names of what was tried as a list in words."""
    titles = [name.removeprefix("backtest.") for name in names]
    return " and ".join([*([", ".join(titles[:-1])] if titles[1:] else []), titles[-1]])
