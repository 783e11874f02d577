"""How good predictions were: accuracy and calibration over time, and drift."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.errors import MissingExtraError
from windtunnel.learn.calibration import calibration_error
from windtunnel.values import FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Drift", "Period", "Track", "baseline", "drift", "hits", "losses", "track"]


@dataclass(frozen=True)
class Period:
    """A quarter: its name, how many outcomes are known, how often the model was right, what it said of that.

    ``said`` is the mean probability, ``came`` the share of outcomes that it speaks of: equal if calibrated.
    """

    name: str
    known: int
    accuracy: float
    said: float
    came: float


@dataclass(frozen=True)
class Drift:
    """A change of the error rate: when it was seen, and the rate before and since."""

    time: str
    before: float
    after: float


@dataclass(frozen=True)
class Track:
    """The record of one model.

    Parameters
    ----------
    kind, model : str
    predictions, known : int
        How many there are, and of how many the outcome is known.
    accuracy : float
        Share of :func:`hits`.
    calibration_error : float
        Mean distance of probability and share of outcomes over 10 bins of equal width, weighed by count.
    loss : float
        Mean of :func:`losses`.
    skill : float
        1 − loss ÷ that of :func:`baseline`, over the predictions for which there is one.
    periods : tuple of Period
    drifts : tuple of Drift or None
        None where river, which looks for it, is not installed.
    """

    kind: str
    model: str
    predictions: int
    known: int
    accuracy: float
    calibration_error: float
    loss: float
    skill: float
    periods: tuple[Period, ...]
    drifts: tuple[Drift, ...] | None


def hits(table: pd.DataFrame) -> FloatArray:
    """Say where a prediction was right, ``[n]``: 1 or 0, NaN while that is not known.

    An EXECUTE that won or a SKIP that lost; a regime or a pattern that came true; a volatility inside its
    interval.
    """
    outcome, low, high = (table[name].to_numpy(np.float64) for name in ("outcome", "low", "high"))
    kind = table["kind"].to_numpy(str)
    inside = np.where(np.isnan(low) | np.isnan(high), np.nan, (low <= outcome) & (outcome <= high))
    taken = table["prediction"].to_numpy(str) == "EXECUTE"
    right = np.select([kind == "volatility", kind == "scorer"], [inside, taken == (outcome > 0)], outcome)
    return np.where(np.isnan(outcome), np.nan, right)


def losses(table: pd.DataFrame) -> FloatArray:
    """Return the loss of each prediction, ``[n]``, NaN while it is not known: the lower the better.

    (p − outcome)² of a probability p (Brier 1950, Verification of forecasts expressed in terms of
    probability); σ²/f² − ln(σ²/f²) − 1 of a forecast f of the volatility σ, which is QLIKE (Patton 2011,
    Volatility forecast comparison using imperfect volatility proxies) less what it is at best.
    """
    names = ("value", "probability", "outcome")
    return _losses(table, *(table[name].to_numpy(np.float64) for name in names))


def baseline(table: pd.DataFrame) -> FloatArray:
    """Return the loss of saying, each time, the mean of the symbol's outcomes known by then, ``[n]``.

    Of volatilities the mean square; NaN before the first is known.
    """
    outcome, said = table["outcome"].to_numpy(np.float64), np.full(len(table), np.nan)
    power = np.where(table["kind"].to_numpy(str) == "volatility", 2, 1)
    time, known = table["time"].to_numpy("M8[ns]"), table["known"].to_numpy("M8[ns]")
    _, symbols = np.unique(table["symbol"].to_numpy(str), return_inverse=True)
    for symbol in range(symbols.max(initial=-1) + 1):
        rows = np.flatnonzero(symbols == symbol)
        past = rows[~np.isnan(outcome[rows])]
        past = past[np.argsort(known[past], kind="stable")]
        sums = np.cumsum(outcome[past] ** power[past])
        count = np.searchsorted(known[past], time[rows], side="right")
        some = count > 0
        said[rows[some]] = sums[count[some] - 1] / count[some]
    return _losses(table, np.sqrt(said), said, outcome)


def _losses(
    table: pd.DataFrame, value: FloatArray, probability: FloatArray, outcome: FloatArray
) -> FloatArray:
    volatility = table["kind"].to_numpy(str) == "volatility"
    defined = (value > 0) & (outcome > 0)
    ratio = np.divide(outcome, value, out=np.full(len(table), np.nan), where=defined) ** 2
    return np.where(volatility, ratio - np.log(ratio) - 1, (probability - outcome) ** 2)


def track(table: pd.DataFrame) -> Track:
    """Return the record of one model from its predictions, a table as a run writes it."""
    hit, loss, naive = hits(table), losses(table), baseline(table)
    known = ~np.isnan(hit)
    both = ~np.isnan(loss) & ~np.isnan(naive)
    worst = _mean(naive[both])
    return Track(
        kind=str(table["kind"].iloc[0]),
        model=str(table["model"].iloc[0]),
        predictions=len(table),
        known=int(known.sum()),
        accuracy=_mean(hit[known]),
        calibration_error=_calibration_error(table["probability"].to_numpy(np.float64), _came(table, hit)),
        loss=_mean(loss[~np.isnan(loss)]),
        skill=1 - _mean(loss[both]) / worst if worst > 0 else np.nan,
        periods=_periods(table, hit),
        drifts=_drift_if_possible(table),
    )


def _drift_if_possible(table: pd.DataFrame) -> tuple[Drift, ...] | None:
    try:
        return drift(table)
    except MissingExtraError:
        return None


def _came(table: pd.DataFrame, hit: FloatArray) -> FloatArray:
    """Return what the probability speaks of: that the outcome comes, or lies inside the interval."""
    volatility = table["kind"].to_numpy(str) == "volatility"
    return np.where(volatility, hit, table["outcome"].to_numpy(np.float64))


def _calibration_error(said: FloatArray, came: FloatArray) -> float:
    known = ~np.isnan(said) & ~np.isnan(came)
    if not known.any():
        return np.nan
    return calibration_error(said[known], came[known] > 0, np.ones(int(known.sum())))


def _periods(table: pd.DataFrame, hit: FloatArray) -> tuple[Period, ...]:
    quarter = table["time"].to_numpy("M8[ns]").astype("M8[M]").astype(np.int64) // 3
    said, came = table["probability"].to_numpy(np.float64), _came(table, hit)
    known = ~np.isnan(hit)
    return tuple(
        Period(
            f"{1970 + number // 4} Q{number % 4 + 1}",
            int(rows.sum()),
            _mean(hit[rows]),
            _mean(said[rows]),
            _mean(came[rows]),
        )
        for number in np.unique(quarter[known]).tolist()
        for rows in [known & (quarter == number)]
    )


def drift(table: pd.DataFrame) -> tuple[Drift, ...]:
    """Return where the rate of errors changed.

    ADWIN at its usual confidence of 0.002, over the errors in the order in which they were known. Of
    outcomes of one symbol that overlap in time only the first is used, for ADWIN takes them as independent.
    Source: Bifet & Gavaldà (2007), Learning from time-changing data with adaptive windowing.

    Raises
    ------
    MissingExtraError
        If river is not installed.
    """
    try:
        from river import drift as detectors
    except ImportError:
        raise MissingExtraError("river, which looks for drift,", "ml") from None
    known, error = table["known"].to_numpy("M8[ns]"), 1 - hits(table)
    rows = _apart(table, error)
    rows = rows[np.lexsort((table["symbol"].to_numpy(str)[rows], known[rows]))]
    adwin: Any = detectors.ADWIN
    window, found = adwin(), []
    for row in rows:
        before = window.estimation
        window.update(error[row])
        if window.drift_detected:
            found.append(Drift(str(known[row]), float(before), float(window.estimation)))
    return tuple(found)


def _apart(table: pd.DataFrame, error: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return rows whose outcomes are known and, within a symbol, do not overlap."""
    time, known = table["time"].to_numpy("M8[ns]"), table["known"].to_numpy("M8[ns]")
    symbol, free = table["symbol"].to_numpy(str), dict[str, np.datetime64]()
    kept = []
    for row in np.argsort(time, kind="stable"):
        if error[row] == error[row] and not time[row] < free.get(symbol[row], time[row]):
            kept.append(row)
            free[symbol[row]] = known[row]
    return np.array(kept, np.int64)


def _mean(values: FloatArray) -> float:
    return float(values.mean()) if len(values) else np.nan
