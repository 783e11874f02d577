"""Advice that was given goes into the log of live answers, and what came of earlier answers with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.experiment import Loaded
from windtunnel.learn.resolving import resolve
from windtunnel.runner.parts import candidate
from windtunnel.runner.predicted import AHEAD, side_of
from windtunnel.store.predictions import LIVE, PredictionLog

if TYPE_CHECKING:
    from windtunnel.runner.advice import Advice

__all__ = ["LOG", "log_advice"]

LOG = "predictions.sqlite"
"""The log, in the folder of results."""


def log_advice(loaded: Loaded, bars: Bars, answers: Sequence[Advice], out: Path) -> None:
    """Write down what was said, and what these bars tell of what was said before."""
    import pandas as pd

    log = PredictionLog(out / LOG)
    try:
        rows = [row for answer in answers for row in _rows(loaded, bars, answer)]
        if rows:
            log.add(pd.DataFrame(rows))
        resolve(log, bars)
    finally:
        log.close()


def _rows(loaded: Loaded, bars: Bars, answer: Advice) -> Iterator[dict[str, Any]]:
    """Yield a row for each model that said something, with the columns of the log."""
    own = np.flatnonzero(bars.present[:, bars.symbols.index(answer.symbol)])
    where = {"symbol": answer.symbol, "time": bars.time[own[-1]]}
    blank = dict.fromkeys(LIVE, nan) | {"horizon": 0, "direction": 0, "prediction": ""}

    def row(kind: str, model: str, **said: Any) -> dict[str, Any]:
        known = {name: nan if value is None else value for name, value in said.items()}
        return blank | where | {"kind": kind, "model": model} | known

    chosen = next((one for one in answer.ranked if one.chosen), None)
    if chosen is not None and answer.ahead is not None:
        yield row(
            *("strategy", answer.strategy),
            prediction=chosen.candidate,
            value=chosen.expected,
            probability=1 - chosen.risk,
            horizon=answer.ahead,
            direction=int(np.sign(answer.exposure)),
        )
    if answer.regime is not None and loaded.regime is not None:
        name, sure = answer.regime.name, answer.regime.confidence
        side = side_of(name)
        yield row(
            "regime", loaded.regime.name, prediction=name, probability=sure, horizon=AHEAD, direction=side
        )
    if answer.volatility is not None and loaded.volatility is not None:
        told = answer.volatility
        interval = {"low": told.low, "high": told.high, "probability": told.coverage}
        yield row("volatility", loaded.volatility.name, value=told.mean, horizon=told.horizon, **interval)
    section, scorer = loaded.experiment.scorer, loaded.scorer
    if answer.signal is not None and section is not None and scorer is not None:
        signal = answer.signal
        said = {"prediction": signal.action, "probability": signal.probability}
        yield row("scorer", scorer.name, **said, horizon=section.outcome.horizon, direction=signal.direction)
    for pattern in answer.patterns:
        if pattern.bars_ago == 0 and pattern.direction:
            yield row(
                *("patterns", f"patterns {pattern.type}"),
                prediction=pattern.type,
                probability=pattern.success if pattern.probability is None else pattern.probability,
                target=pattern.target,
                stop=pattern.stop,
                horizon=candidate(loaded).pattern_barriers.horizon,
                direction=pattern.direction,
            )
