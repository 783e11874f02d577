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

    if isinstance(values.dtype, pd.StringDtype):
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(np.float64, na_value=np.nan)
        return numbers, np.isnan(numbers) & values.notna().to_numpy()
    read = [_number(value) for value in values.astype(object)]
    unreadable = np.array([number is None for number in read], bool)
    return np.array([np.nan if number is None else number for number in read]), unreadable


def _number(value: Any) -> float | None:
    """Return a number, NaN for what is missing, None for anything else."""
    import pandas as pd

    if value is None or value is pd.NA or value is pd.NaT:
        return np.nan
    try:
        number = None if isinstance(value, bool | np.bool_) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return None if isinstance(value, str) and np.isnan(float(value)) else number
