"""Names for the array types that the signatures use."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]
TimeArray: TypeAlias = npt.NDArray[np.datetime64]
Exposure: TypeAlias = npt.NDArray[np.bool_] | npt.NDArray[np.int8] | npt.NDArray[np.float64]
"""What a strategy wants, ``[T, N]`` in [-1, 1]; NaN means keep the units held."""
