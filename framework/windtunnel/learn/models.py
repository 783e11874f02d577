"""Run a model on its schedule: it learns from the past only, and answers for what comes after."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from windtunnel.errors import InvalidValueError, PluginError, WindtunnelError, nearest
from windtunnel.learn.keeping import Fit, Keeper, fitted
from windtunnel.learn.schedule import Fold, LearnedSection, folds
from windtunnel.market import Market
from windtunnel.plugin import Plugin, State
from windtunnel.plugin.kinds import title
from windtunnel.values import PerBar

__all__ = ["Tick", "answers", "calling", "scheduled", "silent", "training"]

V = TypeVar("V", bound=PerBar)
Tick = Callable[[str, int, int], None]
"""Told after every step of a schedule: what learns, steps done, steps in all."""


def silent(what: str, done: int, total: int) -> None:
    """Report no progress."""


@contextmanager
def calling(plugin: Plugin, doing: str) -> Iterator[None]:
    """Turn whatever a plugin raises into a PluginError that names it, the line, and what it was doing.

    What a plugin says of its own parameters, or of data, passes as it is: that is the user's to mend.
    """
    who = f"{title(plugin.kind)} {plugin.name}"
    try:
        yield
    except InvalidValueError as error:
        if error.parameter.partition(".")[0] in type(plugin).model_fields:
            raise
        raise PluginError(f"{who} failed to {doing}{_place(plugin, error)}: {error}") from error
    except WindtunnelError:
        raise
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}: {error}{_meant(error)}"
        raise PluginError(f"{who} failed to {doing}{_place(plugin, error)}: {what}") from error


def _place(plugin: Plugin, error: BaseException) -> str:
    """Return the last line of the plugin's own file that was running."""
    source = getattr(sys.modules.get(type(plugin).__module__), "__file__", None)
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == source]
    return f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _meant(error: BaseException) -> str:
    """Return the attribute that a misspelt one was meant to be."""
    if not isinstance(error, AttributeError) or error.obj is None:
        return ""
    hint = nearest(str(error.name), [name for name in dir(error.obj) if not name.startswith("_")])
    return f"; did you mean {hint}?" if hint else ""


def scheduled(section: LearnedSection, bars: int, key: str) -> list[Fold]:
    """Return the fits of a schedule.

    Raises
    ------
    InvalidValueError
        If there is none, because the data are shorter than ``first`` (or the embargo eats them).
    """
    fits = list(folds(section, bars))
    if not fits:
        raise InvalidValueError(
            f"{key}.first", f"must leave bars to learn for, of {bars} in all", section.first
        )
    return fits


def training(market: Market, fold: Fold) -> Market:
    """Return the market that a fit may see."""
    if fold.train_start == 0:
        return market.until(fold.train_stop)
    return market.window(fold.train_start, fold.train_stop)


def answers(
    plugin: Plugin,
    section: LearnedSection,
    market: Market,
    fit: Callable[[Market], State],
    predict: Callable[[Market, State], V],
    tick: Tick,
    keeper: Keeper | None = None,
) -> V:
    """Fit on the schedule and join the answers.

    The answer for the bars of a fold comes from a state that saw only what lies before them, less the
    embargo, and from a market that ends with the fold. Before the first fit the value abstains. ``keeper``
    is shown every fit.
    """
    fits = scheduled(section, len(market.bars), plugin.kind)
    parts: list[V] = []
    for done, fold in enumerate(fits, start=1):
        state = _fit(plugin, section, fold, training(market, fold), fit, keeper, done == len(fits))
        with calling(plugin, "predict"):
            parts.append(predict(market.until(fold.stop), state).cut(fold.start, fold.stop))
        tick(f"{plugin.kind} {plugin.name}", done, len(fits))
    blank = parts[0].abstaining(fits[0].start)
    with calling(plugin, "predict"):
        return type(blank).join([blank, *parts])


def _fit(
    plugin: Plugin,
    section: LearnedSection,
    fold: Fold,
    view: Market,
    fit: Callable[[Market], State],
    keeper: Keeper | None,
    last: bool,
) -> State:
    def learn() -> State:
        with calling(plugin, "fit"):
            return fit(view)

    return fitted(keeper, Fit(plugin, section, fold, view, last=last), learn)
