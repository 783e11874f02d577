"""What indicators are made of: columns without gaps out of panels with gaps, and rolling windows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray

__all__ = [
    "by_symbol",
    "check_window",
    "lag",
    "many_by_symbol",
    "ratio",
    "rolling_mean",
    "rolling_moments",
    "rolling_sum",
    "rolling_weighted_mean",
]

_LONGEST = 100_000
_Array = TypeVar("_Array", bound=npt.NDArray[Any])
_Merge: TypeAlias = Callable[[FloatArray, FloatArray, int, int], FloatArray]


def check_window(parameter: str, value: int, minimum: int) -> None:
    """Refuse what is not a whole number from ``minimum`` to 100,000."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise InvalidValueError(parameter, "must be a whole number of bars", value)
    if value < minimum:
        raise InvalidValueError(parameter, f"must be at least {minimum} bars", value)
    if value > _LONGEST:
        raise InvalidValueError(parameter, f"must be at most {_LONGEST:,} bars", value)


def by_symbol(function: Callable[..., FloatArray], *panels: FloatArray) -> FloatArray:
    """Apply a function of one output to each symbol's present bars; see :func:`many_by_symbol`."""
    (result,) = many_by_symbol(lambda *columns: (function(*columns),), 1, *panels)
    return result


def many_by_symbol(
    function: Callable[..., tuple[FloatArray, ...]], outputs: int, *panels: FloatArray
) -> tuple[FloatArray, ...]:
    """Apply ``function`` to each symbol's present bars and put its results back where these belong.

    Parameters
    ----------
    function : callable
        Takes one contiguous column for each panel, without NaN and with at least one value; returns
        ``outputs`` arrays of that length.
    outputs : int
    *panels : array of float64, ``[T, N]`` or ``[T]``
        All of one shape. A bar that is NaN in any of them is missing.

    Returns
    -------
    tuple of array of float64
        Of the shape of the panels, each symbol contiguous; NaN where the bar is missing.
    """
    shape = panels[0].shape
    if any(panel.shape != shape for panel in panels):
        raise InvalidValueError("panels", "must have the same shape", [panel.shape for panel in panels])
    if len(panels) == 1 and panels[0].size == len(panels[0]) > 0 and not np.isnan(panels[0]).any():
        return tuple(one.reshape(shape) for one in function(np.ascontiguousarray(panels[0].reshape(-1))))
    sheets = [panel.reshape(len(panel), -1, order="F") for panel in panels] if len(panels[0]) else []
    results = tuple(np.full(shape, np.nan, order="F") for _ in range(outputs))
    for symbol in range(sheets[0].shape[1] if sheets else 0):
        columns = [sheet[:, symbol] for sheet in sheets]
        present = ~np.isnan(columns).any(axis=0)
        rows: Any = slice(None) if present.all() else present
        if present.any():
            found = function(*(np.ascontiguousarray(column[rows]) for column in columns))
            for result, values in zip(results, found, strict=True):
                result.reshape(len(result), -1, order="F")[rows, symbol] = values
    return results


def lag(values: _Array, bars: int) -> _Array:
    """Return an array of any type, ``[T]`` or ``[T, N]``, as it was ``bars`` (≥ 0) rows earlier.

    Rows count whether or not a symbol has a bar. The first ``bars`` rows are NaN, or False or 0 where the
    type has no NaN.
    """
    check_window("bars", bars, 0)
    earlier: _Array = np.zeros_like(values)
    if values.dtype.kind == "f":
        earlier[:bars] = np.nan
    earlier[bars:] = values[: max(len(values) - bars, 0)]
    return earlier


def ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Divide; NaN where the denominator is 0."""
    result = np.full_like(numerator, np.nan)
    np.divide(numerator, denominator, out=result, where=denominator != 0)
    return result


def rolling_sum(values: FloatArray, window: int) -> FloatArray:
    """Return the sum of the last ``window`` values of a column; NaN in the warm-up."""
    return _rolling(values, window, _merge_sums)


def rolling_mean(values: FloatArray, window: int) -> FloatArray:
    """Return the mean of the last ``window`` values of a column; exact where they are equal."""
    from windtunnel.engine.rolling import means

    result: FloatArray = means(values, window)
    return result


def rolling_moments(values: FloatArray, window: int) -> tuple[FloatArray, FloatArray]:
    """Return the mean of the last ``window`` values and the sum of the squared deviations from it.

    The sum is exactly 0 where the values are equal.
    """
    mean, squares = _rolling(np.stack((values, np.zeros_like(values))), window, _merge_moments)
    return mean, squares


def rolling_weighted_mean(values: FloatArray, window: int) -> FloatArray:
    """Return the mean of the last ``window`` values with weights 1 (oldest) … ``window`` (newest)."""
    weighted: FloatArray = _rolling(np.stack((values, values)), window, _merge_weighted_means)[1]
    return weighted


def _rolling(leaves: FloatArray, window: int, merge: _Merge) -> FloatArray:
    """Merge every ``window`` neighbours along the last axis; NaN in the warm-up.

    Blocks of 1, 2, 4, … neighbours are merged pair by pair, and those that make up ``window`` joined: some
    2 log2(window) passes. A result rests on its window alone, whatever came before.
    ``merge(older, newer, n_older, n_newer)`` takes what is known of two neighbouring blocks.
    """
    length = leaves.shape[-1]
    result = np.full_like(leaves, np.nan)
    if length < window:
        return result
    block, size = leaves, 1
    whole, covered = leaves, 0
    while True:
        if window & size:
            older = block[..., : length - size - covered + 1]
            whole = merge(older, whole[..., size:], size, covered) if covered else older
            covered += size
        if covered == window:
            break
        block = merge(block[..., :-size], block[..., size:], size, size)
        size *= 2
    result[..., window - 1 :] = whole
    return result


def _merge_sums(older: FloatArray, newer: FloatArray, n_older: int, n_newer: int) -> FloatArray:
    return older + newer


def _merge_moments(older: FloatArray, newer: FloatArray, n_older: int, n_newer: int) -> FloatArray:
    """Merge means and squares: Chan, Golub & LeVeque 1983, *The American Statistician* 37."""
    step = newer[0] - older[0]
    share = n_newer / (n_older + n_newer)
    return np.stack((older[0] + step * share, older[1] + newer[1] + step * step * (share * n_older)))


def _merge_weighted_means(older: FloatArray, newer: FloatArray, n_older: int, n_newer: int) -> FloatArray:
    """Merge means, and means with weights 1 … n; joined, the newer weights all rise by n_older."""
    total = n_older + n_newer
    mean, weighted = older
    rise = (newer[1] - weighted) * (n_newer * (n_newer + 1) / 2) + (newer[0] - weighted) * (n_older * n_newer)
    return np.stack(
        (mean + (newer[0] - mean) * (n_newer / total), weighted + rise / (total * (total + 1) / 2))
    )
