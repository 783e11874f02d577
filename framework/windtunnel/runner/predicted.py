"""What the models of a run predicted, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.experiment import Loaded
from windtunnel.learn import held_direction, pattern_outcomes, realised_volatility
from windtunnel.learn.resolving import forward_returns, time_after
from windtunnel.market import Market
from windtunnel.panels import by_symbol
from windtunnel.pipeline import Result
from windtunnel.runner.parts import candidate
from windtunnel.values import BoolArray, FloatArray, Forecast, IntArray, Patterns, Regimes

if TYPE_CHECKING:
    import pandas as pd

    from windtunnel.pipeline.decide import Signals

__all__ = ["AHEAD", "predictions", "recommendations", "side_of"]

_ROUNDING = 1e-12

AHEAD = 21
"""Bars over whose return a regime with a direction comes true."""


def predictions(loaded: Loaded, result: Result) -> Iterator[pd.DataFrame]:
    """Yield a table for each model of a run that said anything; what abstains is left out.

    A strategy that follows one of several says which, what it expects of it, and that it will not lose; that
    comes true where following it lost nothing over the bars that it looked ahead, before costs. A regime
    comes true where the truth, of synthetic data, says the same at its bar; without a truth, where the
    return over the next 21 bars goes its way: only bullish and bearish ones have a way.
    """
    decision, bars = result.decision, result.bars
    ranking = getattr(decision.wanted, "ranking", None)
    if ranking is not None:
        yield recommendations(loaded.strategy.name, result, ranking)
    if decision.signals is not None and loaded.scorer is not None:
        yield _of_scores(loaded.scorer.name, result, decision.signals)
    if decision.regimes is not None and loaded.regime is not None:
        yield _of_regimes(loaded.regime.name, result, decision.regimes)
    if decision.forecast is not None and loaded.volatility is not None:
        yield _of_forecast(loaded.volatility.name, result, decision.forecast, _coverage(loaded))
    if decision.patterns is not None and loaded.patterns:
        name = "+".join(plugin.name for plugin in loaded.patterns)
        directed = decision.patterns.take(decision.patterns.direction != 0)
        barriers, rules = candidate(loaded).pattern_barriers, loaded.experiment.backtest
        _, ended = pattern_outcomes(directed, Market(bars), barriers, rules)
        reliable = np.where(np.isnan(directed.probability), directed.success, directed.probability)
        yield _of_patterns(name, result, directed, reliable, _ended(result, ended.won, ended.known))


def _coverage(loaded: Loaded) -> float:
    """Return how often volatility should lie in its interval; NaN where the model does not say."""
    section = loaded.experiment.volatility
    if section is not None and section.interval == "conformal":
        return section.coverage
    return float(getattr(loaded.volatility, "coverage", np.nan))


def side_of(regime: str) -> int:
    """Return which way a regime goes, by its name: 1 bullish, -1 bearish, 0 neither."""
    return 1 if "bull" in regime else -1 if "bear" in regime else 0


def _table(
    result: Result, kind: str, model: str, at: tuple[Any, ...], columns: Mapping[str, Any]
) -> pd.DataFrame:
    """Return predictions made at bars and symbols."""
    import pandas as pd

    bar, symbol = at
    blank, nothing = np.full(len(bar), np.nan), np.zeros(len(bar), np.int64)
    given: dict[str, Any] = {
        "kind": _coded(nothing, [kind]),
        "model": _coded(nothing, [model]),
        "symbol": _coded(symbol, result.bars.symbols),
        "time": result.bars.time[bar],
        "prediction": _coded(nothing, [""]),
        **dict.fromkeys(("value", "low", "high", "probability", "outcome"), blank),
    }
    return pd.DataFrame(given | dict(columns))


def _coded(codes: IntArray, words: Sequence[str]) -> Any:
    """Return words by their codes, as a column that holds each word once."""
    import pandas as pd

    return pd.Categorical.from_codes(codes, pd.Index(list(words)))


def _ended(result: Result, won: BoolArray, known: IntArray) -> dict[str, Any]:
    """Return outcome and time of outcomes that are known at a bar; T is not yet."""
    time = np.append(result.bars.time, np.datetime64("NaT", "ns"))
    return {"outcome": np.where(known < len(result.bars), won, np.nan), "known": time[known]}


def recommendations(model: str, result: Result, ranking: Any) -> pd.DataFrame:
    """Return what a strategy that follows one of several recommended, and whether following it lost."""
    bars, ahead = result.bars, ranking.ahead
    known = ~np.isnan(ranking.expected).any(axis=2)
    at = np.nonzero((ranking.chosen >= 0) & bars.present & known)
    chosen = ranking.chosen[at]
    made = _followed(result, ahead)[at]
    columns = {
        "prediction": _coded(chosen, ranking.names),
        "value": ranking.expected[(*at, chosen)],
        "probability": 1 - ranking.risk[(*at, chosen)],
        "outcome": np.where(np.isnan(made), np.nan, made >= -_ROUNDING),
        "known": time_after(bars.time, bars.present, ahead)[at],
    }
    return _table(result, "strategy", model, at, columns)


def _followed(result: Result, ahead: int) -> FloatArray:
    """Return what the side wanted at each bar made over the symbol's next ``ahead`` bars, ``[T, N]``."""
    bars = result.bars
    side = held_direction(result.decision.exposure, bars.present).astype(np.float64)

    def column(closes: FloatArray, sides: FloatArray) -> FloatArray:
        made = np.full(len(closes), np.nan)
        if len(closes) > ahead:
            sums = np.concatenate(([0.0], np.cumsum(sides[:-1] * np.diff(np.log(closes)))))
            made[:-ahead] = sums[ahead:] - sums[:-ahead]
        return made

    return by_symbol(column, bars.close, side)


def _of_scores(model: str, result: Result, signals: Signals) -> pd.DataFrame:
    said = ~np.isnan(signals.scores.probability)
    at = signals.features.bar[said], signals.features.symbol[said]
    columns = {"prediction": signals.action[said], "probability": signals.scores.probability[said]}
    ended = _ended(result, signals.outcomes.won[said], signals.outcomes.known[said])
    return _table(result, "scorer", model, at, columns | ended)


def _of_regimes(model: str, result: Result, regimes: Regimes) -> pd.DataFrame:
    bars = result.bars
    at = np.nonzero((regimes.codes >= 0) & bars.present)
    code = regimes.codes[at]
    truth = _truth(result, regimes.names)
    if truth is not None:
        outcome = np.where(truth[at] < 0, np.nan, truth[at] == code)
        known = np.where(truth[at] < 0, np.datetime64("NaT", "ns"), bars.time[at[0]])
    else:
        side = np.array([side_of(name) for name in regimes.names])[code]
        ahead = forward_returns(bars.close, AHEAD)[at]
        open_ = (side == 0) | np.isnan(ahead)
        outcome = np.where(open_, np.nan, side * ahead > 0)
        known = np.where(open_, np.datetime64("NaT", "ns"), time_after(bars.time, bars.present, AHEAD)[at])
    columns = {
        "prediction": _coded(code, regimes.names),
        "probability": regimes.confidence[at],
        "outcome": outcome,
        "known": known,
    }
    return _table(result, "regime", model, at, columns)


def _truth(result: Result, names: tuple[str, ...]) -> IntArray | None:
    """Return the true regimes as codes of ``names``, ``[T, N]``, -1 where unknown; None without a truth."""
    labels = result.truth.get("regimes")
    if labels is None or not np.isin(np.unique(labels.to_numpy(str)), names).any():
        return None
    aligned = labels.reindex(index=result.bars.time, columns=list(result.bars.symbols)).to_numpy(object)
    code = {name: place for place, name in enumerate(names)}
    return np.array([[code.get(label, -1) for label in row] for row in aligned], np.int64)


def _of_forecast(model: str, result: Result, forecast: Forecast, coverage: float) -> pd.DataFrame:
    bars, horizon = result.bars, forecast.horizon
    at = np.nonzero(~np.isnan(forecast.mean) & bars.present)
    came: FloatArray = realised_volatility(bars.close, horizon, bars.periods_per_year)[at]
    columns = {
        **{name: getattr(forecast, field)[at] for name, field in _INTERVAL.items()},
        "probability": np.full(len(came), coverage),
        "outcome": came,
        "known": time_after(bars.time, bars.present, horizon)[at],
    }
    return _table(result, "volatility", model, at, columns)


_INTERVAL = {"value": "mean", "low": "low", "high": "high"}


def _of_patterns(
    model: str, result: Result, patterns: Patterns, reliable: FloatArray, ended: Mapping[str, Any]
) -> pd.DataFrame:
    at = patterns.confirmed, patterns.symbol
    columns = {"prediction": patterns.type, "probability": reliable}
    return _table(result, "patterns", model, at, columns | dict(ended))
