"""Rolling windows against plain NumPy, and results put back where they belong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from windtunnel import panels
from windtunnel.errors import InvalidValueError


@given(
    values=npst.arrays(np.float64, st.integers(1, 70), elements=st.floats(-1e6, 1e6)),
    window=st.integers(1, 40),
)
def test_rolling_windows_equal_plain_numpy(values: np.ndarray, window: int) -> None:
    mean, squares = panels.rolling_moments(values, window)
    total, weighted = panels.rolling_sum(values, window), panels.rolling_weighted_mean(values, window)
    np.testing.assert_array_equal(panels.rolling_mean(values, window), mean)
    assert np.isnan(mean[: window - 1]).all()
    scale = np.abs(values).max() + 1e-300
    for end in range(window, len(values) + 1):
        part = values[end - window : end]
        assert abs(total[end - 1] - part.sum()) <= 1e-13 * scale * window
        assert abs(mean[end - 1] - part.mean()) <= 1e-14 * scale
        assert abs(weighted[end - 1] - np.average(part, weights=np.arange(1, window + 1))) <= 1e-13 * scale
        assert abs(squares[end - 1] - ((part - part.mean()) ** 2).sum()) <= 1e-13 * scale**2 * window


def test_a_small_deviation_around_a_large_mean_keeps_its_digits() -> None:
    values = 1e9 + np.tile([0.0, 1.0], 50)
    _, squares = panels.rolling_moments(values, 10)
    np.testing.assert_allclose(squares[9:], 2.5, rtol=1e-12)


def test_results_go_back_to_the_rows_that_were_present() -> None:
    first = np.array([[1.0, np.nan], [np.nan, 2.0], [3.0, 4.0]])
    second = np.array([[1.0, 1.0], [1.0, 1.0], [np.nan, 1.0]])
    total, count = panels.many_by_symbol(
        lambda a, b: (np.cumsum(a + b), np.arange(1.0, len(a) + 1)), 2, first, second
    )
    np.testing.assert_array_equal(total, [[2, np.nan], [np.nan, 3], [np.nan, 8]])
    np.testing.assert_array_equal(count, [[1, np.nan], [np.nan, 1], [np.nan, 2]])


def test_a_symbol_without_bars_is_never_asked() -> None:
    def refuse(values: np.ndarray) -> np.ndarray:
        raise AssertionError("nothing to compute")

    assert np.isnan(panels.by_symbol(refuse, np.full((3, 2), np.nan))).all()
    assert panels.by_symbol(refuse, np.empty((0, 2))).shape == (0, 2)
    assert panels.by_symbol(refuse, np.empty((3, 0))).shape == (3, 0)


def test_panels_must_have_one_shape() -> None:
    with pytest.raises(InvalidValueError, match="same shape"):
        panels.by_symbol(np.add, np.zeros(3), np.zeros((3, 1)))


def test_lag_fills_with_what_the_type_has() -> None:
    floats = np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(panels.lag(floats, 1), [[np.nan, np.nan], [1, 2]])
    assert panels.lag(floats, 1).flags.f_contiguous
    for values in (np.array([True, True]), np.array([5, 6], np.int8), np.array([5, 6])):
        lagged = panels.lag(values, 1)
        assert lagged.dtype == values.dtype
        np.testing.assert_array_equal(lagged, [0, values[0]])
    np.testing.assert_array_equal(panels.lag(floats, 0), floats)
    assert np.isnan(panels.lag(floats, 9)).all()


def test_lag_never_looks_ahead() -> None:
    with pytest.raises(InvalidValueError, match=r"bars: must be at least 0 bars \(got -1\)"):
        panels.lag(np.zeros(3), -1)
