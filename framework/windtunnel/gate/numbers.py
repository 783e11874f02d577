"""Columns of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.values import BoolArray, FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_numbers"]


def read_numbers(values: pd.Series) -> tuple[FloatArray, BoolArray]:
    """Read a column of numbers; text that is a number counts as one, a bool does not.

    Returns
    -------
    numbers : array of float64, ``[n]``
        NaN where missing or not a number.
    unreadable : array of bool, ``[n]``
        Where there is something that is not a number.
    """
    from pandas.api import types

    if types.is_numeric_dtype(values) and not (types.is_bool_dtype(values) or types.is_complex_dtype(values)):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
        return numbers, np.zeros(len(numbers), bool)
    import pandas as pd

    given = values.astype(object)
    if isinstance(values.dtype, pd.StringDtype):
        numbers = pd.to_numeric(given, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    else:
        numbers = np.fromiter((_number(value) for value in given), np.float64, len(given))
    return numbers, np.isnan(numbers) & given.notna().to_numpy()


def _number(value: Any) -> float:
    if isinstance(value, bool | np.bool_):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.nan
