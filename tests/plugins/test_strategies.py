"""The strategies, on bars computed by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from windtunnel.bars import Bars
from windtunnel.errors import DataError, InvalidValueError
from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel_plugins.strategies import (
    BollingerRsi,
    BuyAndHold,
    CrossSectionalMomentum,
    Donchian,
    Momentum,
    Recorded,
    SmaCross,
)
from windtunnel_plugins.strategies._holding import carry, hold, postpone

Panel = Callable[..., Bars]
NAN = np.nan


def wanted(strategy: Strategy, bars: Bars) -> list[float]:
    exposure = np.asarray(strategy.exposure(Market(bars)))
    assert exposure.shape == bars.shape
    return exposure[:, 0].tolist()


class TestSmaCross:
    # Fast (2 bars): - 10.5 11.5 11.5 10.5 9.5 9.5 11. Slow (3 bars): - - 11 11.3 11 10 9.7 10.3.
    closes = (10, 11, 12, 11, 10, 9, 10, 12)

    def test_is_long_while_the_fast_average_is_above(self, panel: Panel) -> None:
        exposure = SmaCross(fast=2, slow=3).exposure(Market(panel(self.closes)))
        assert exposure.dtype == np.bool_
        assert exposure[:, 0].tolist() == [0, 0, 1, 1, 0, 0, 0, 1]

    def test_is_short_below_on_request(self, panel: Panel) -> None:
        exposure = SmaCross(fast=2, slow=3, short=True).exposure(Market(panel(self.closes)))
        assert exposure.dtype == np.int8
        assert exposure[:, 0].tolist() == [0, 0, 1, 1, -1, -1, -1, 1]

    @pytest.mark.parametrize("fast", [50, 60])
    def test_refuses_a_fast_window_that_is_not_faster(self, fast: int) -> None:
        with pytest.raises(
            ValidationError, match=f"fast must be less than slow .got fast = {fast}, slow = 50"
        ):
            SmaCross(fast=fast)


class TestBollingerRsi:
    # Bands (3 bars, 1 deviation) and RSI (2 bars) by hand: at bar 3 the lower band is 8.42 and the RSI 16.7,
    # at bar 4 the middle band is 8.83, at bar 5 it is 8.67.
    closes = (10, 11, 10, 8, 8.5, 9.5)

    def test_buys_low_and_sells_above_the_middle(self, panel: Panel) -> None:
        strategy = BollingerRsi(window=3, width=1.0, rsi_window=2, oversold=35.0)
        assert wanted(strategy, panel(self.closes)) == [0, 0, 0, 1, 1, 0]

    @pytest.mark.parametrize("change", [{"oversold": 16.0}, {"width": 1.4}])
    def test_needs_both_conditions(self, panel: Panel, change: dict[str, float]) -> None:
        strategy = BollingerRsi(window=3, width=1.0, rsi_window=2, oversold=35.0).model_copy(update=change)
        assert not any(wanted(strategy, panel(self.closes)))


def test_momentum_needs_more_than_its_threshold(panel: Panel) -> None:
    closes = (8, 8, 10, 12, 12)  # over two bars: 25 %, 50 %, 20 %
    assert wanted(Momentum(window=2, threshold=0.25), panel(closes)) == [0, 0, 0, 1, 0]
    assert wanted(Momentum(window=2, threshold=0.24), panel(closes)) == [0, 0, 1, 1, 0]


class TestDonchian:
    closes = (5, 6, 5, 7, 8, 7.5, 6.5, 9)
    held = (0, 0, 0, 1, 1, 1, 0, 1)

    def test_buys_new_highs_and_sells_new_lows(self, panel: Panel) -> None:
        assert wanted(Donchian(entry=3, exit=2), panel(self.closes)) == list(self.held)

    def test_breaks_out_of_the_highs_not_the_closes(self, panel: Panel) -> None:
        highs = (5, 7.5, 5, 7, 8, 7.5, 6.5, 9)
        assert wanted(Donchian(entry=3, exit=2), panel(self.closes, high=highs)) == [0, 0, 0, 0, 1, 1, 0, 1]

    def test_counts_a_symbols_own_bars(self, panel: Panel) -> None:
        closes = np.insert(np.array(self.closes, float), [3, 6], NAN)
        held = wanted(Donchian(entry=3, exit=2), panel(closes))
        assert [held[i] for i in (0, 1, 2, 4, 5, 6, 8, 9)] == list(self.held)


def test_buy_and_hold_starts_with_each_symbol(panel: Panel) -> None:
    bars = panel([[1, NAN], [2, NAN], [NAN, 5], [2, 6]])
    assert BuyAndHold().exposure(Market(bars)).tolist() == [[1, 0], [1, 0], [1, 1], [1, 1]]


class TestCrossSectionalMomentum:
    def exposure(self, bars: Bars, **params: int) -> list[list[float | None]]:
        rows = CrossSectionalMomentum(**params).exposure(Market(bars)).tolist()
        return [[None if np.isnan(cell) else cell for cell in row] for row in rows]

    def test_chooses_the_best_and_keeps_between(self, panel: Panel) -> None:
        bars = panel([[10, 10, 10], [10, 11, 12], [12, 11, 12], [20, 11, 13], [20, 20, 13], [20, 20, 20]])
        keep = [None, None, None]
        assert self.exposure(bars, window=1, top=2, every=2) == [
            [0, 0, 0],
            [0, 0.5, 0.5],
            keep,
            [0.5, 0, 0.5],
            keep,
            [0.5, 0, 0.5],  # 0 %, 0 %, 54 %: the tie goes to the first column
        ]

    def test_drops_what_ended_and_leaves_cash_where_too_few_are_left(self, panel: Panel) -> None:
        bars = panel([[10, 10, NAN], [11, 12, NAN], [12, 13, NAN], [13, NAN, 5], [14, NAN, 6], [15, NAN, 7]])
        assert self.exposure(bars, window=1, top=2, every=2) == [
            [0, 0, None],
            [0.5, 0.5, None],
            [None, None, None],
            [0.5, None, 0],
            [None, None, None],
            [0.5, None, 0.5],
        ]

    def test_sells_a_symbol_that_misses_the_day_of_choice_at_its_next_bar(self, panel: Panel) -> None:
        bars = panel([[10, 10], [12, 11], [13, 12], [NAN, 13], [14, 14]])
        assert self.exposure(bars, window=1, top=1, every=2) == [
            [0, 0],
            [1, 0],
            [None, None],
            [None, 1],
            [0, None],
        ]

    def test_agrees_with_recorded_target_weights(self, shared: Path, panel: Panel) -> None:
        weights = pd.read_parquet(shared / "oracles/vectorbt/09_target_weights.parquet")
        prices = pd.read_parquet(shared / "data/us_sp500_daily_2013_2018/prices.parquet")
        closes = closes_of(prices, list(weights.columns)).reindex(weights.index)
        exposure = CrossSectionalMomentum(window=63, top=2, every=21).exposure(Market(panel(closes)))
        np.testing.assert_array_equal(exposure[1:], weights.to_numpy()[1:])


def closes_of(prices: pd.DataFrame, symbols: list[str]) -> pd.DataFrame:
    names = {str(name).lower(): name for name in prices.columns}
    symbol = names.get("symbol", names.get("name"))
    return prices.pivot(index=names["date"], columns=symbol, values=names["close"])[symbols].ffill()


class TestRecorded:
    @pytest.fixture
    def bars(self, panel: Panel) -> Bars:
        return panel(np.full((6, 2), 10.0), symbols=("AAPL", "MSFT"))

    @pytest.fixture
    def written(self, tmp_path: Path) -> Callable[[str], Recorded]:
        def write(text: str) -> Recorded:
            (tmp_path / "weights.csv").write_text(text)
            return Recorded(path=str(tmp_path / "weights.csv"))

        return write

    def test_holds_what_the_file_says(self, bars: Bars, written: Callable[[str], Recorded]) -> None:
        strategy = written("when,MSFT,AAPL\n2015-01-02,0.5,\n2015-01-04,-0.25,1\n2015-01-06,,0\n")
        expected = [[0, 0], [NAN, 0.5], [NAN, NAN], [1, -0.25], [NAN, NAN], [0, NAN]]
        np.testing.assert_array_equal(strategy.exposure(Market(bars)), expected)

    def test_may_order_on_the_first_bar_and_leave_symbols_out(
        self, bars: Bars, written: Callable[[str], Recorded]
    ) -> None:
        exposure = written("time,AAPL\n2015-01-01,1\n").exposure(Market(bars))
        np.testing.assert_array_equal(exposure[:2], [[1, 0], [NAN, NAN]])

    @pytest.mark.parametrize("index", [True, False])
    def test_reads_parquet(self, bars: Bars, tmp_path: Path, index: bool) -> None:
        frame = pd.DataFrame(
            {"AAPL": [1.0, NAN, 0.0], "MSFT": [NAN, 0.5, 0.0]}, index=pd.Index(bars.time[1:4], name="t")
        )
        file = tmp_path / "weights.parquet"
        (frame if index else frame.reset_index()).to_parquet(file)
        exposure = Recorded(path=str(file)).exposure(Market(bars))
        np.testing.assert_array_equal(exposure[:4], [[0, 0], [1, NAN], [NAN, 0.5], [0, 0]])

    def test_takes_the_named_time_column_and_times_with_a_zone(
        self, bars: Bars, written: Callable[[str], Recorded]
    ) -> None:
        strategy = written("AAPL,when\n1,2015-01-02T02:00:00+02:00\n0,2015-01-03T01:00:00+01:00\n")
        strategy = strategy.model_copy(update={"time_column": "when"})
        np.testing.assert_array_equal(strategy.exposure(Market(bars))[:, 0], [0, 1, 0, NAN, NAN, NAN])

    def test_leaves_out_what_lies_outside_the_bars(
        self, bars: Bars, written: Callable[[str], Recorded]
    ) -> None:
        strategy = written("t,AAPL\n2014-12-31,1\n2015-01-03,0.5\n2016-01-01,1\n")
        np.testing.assert_array_equal(strategy.exposure(Market(bars))[:, 0], [0, NAN, 0.5, NAN, NAN, NAN])

    def test_a_weight_waits_for_its_symbols_next_bar(
        self, panel: Panel, written: Callable[[str], Recorded]
    ) -> None:
        bars = panel([[1, 1], [1, NAN], [1, NAN], [1, 1]], symbols=("AAPL", "MSFT"))
        strategy = written("t,AAPL,MSFT\n2015-01-02,1,0.5\n2015-01-03,,0.75\n")
        expected = [[0, 0], [1, NAN], [NAN, NAN], [NAN, 0.75]]
        np.testing.assert_array_equal(strategy.exposure(Market(bars)), expected)

    @pytest.mark.parametrize(
        ("text", "row", "message"),
        [
            (
                "t,AAPL\n2015-01-01,1\n2015-01-02T12:00,1\n",
                1,
                "T12:00:00.0* is no bar's; the next bar is 2015-01-03",
            ),
            ("t,AAPL\n2015-01-02,1\n2015-01-02,0\n", 1, "must be later than that of the row before"),
            ("t,AAPL\n2015-01-02,1\n,0\n", 1, "must hold ISO dates or times .got nan"),
            ("t,AAPL\n2014-01-01,1\n", 0, "lies before the first bar"),
            ("t,AAPL\n20150102,1\n", 0, "must hold times, not numbers"),
            ("t,AAPL\n2015-01-02,1\n03/01/2015,1\n", 1, "must hold ISO dates or times .got 03/01/2015"),
            ("t,AAPL\n9999-01-01,1\n", 0, "must hold ISO dates or times .got 9999"),
            ("t,AAPL\n2015-01-02,0.5\n2015-01-03,1.5\n", 1, r"must be a number in \[-1, 1\] .got 1.5"),
            ("t,AAPL\n2015-01-02,much\n", 0, r"must be a number in \[-1, 1\] .got much"),
            ("t,AAPL\n2015-01-02,inf\n", 0, r"must be a number in \[-1, 1\] .got inf"),
        ],
    )
    def test_names_the_row_that_is_wrong(
        self, bars: Bars, written: Callable[[str], Recorded], text: str, row: int, message: str
    ) -> None:
        with pytest.raises(DataError, match=message) as caught:
            written(text).exposure(Market(bars))
        assert caught.value.row == row

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("t,APPL\n2015-01-02,1\n", "did you mean AAPL"),
            ("t,AAPL,AAPL\n2015-01-02,1,1\n", "must be a symbol of the data"),
            ("", "must be a Parquet or CSV file"),
        ],
    )
    def test_refuses_a_file_with_other_columns(
        self, bars: Bars, written: Callable[[str], Recorded], text: str, message: str
    ) -> None:
        with pytest.raises(InvalidValueError, match=message):
            written(text).exposure(Market(bars))

    def test_names_the_file_or_time_column_that_is_not_there(self, bars: Bars, tmp_path: Path) -> None:
        with pytest.raises(InvalidValueError, match=r"path: must be a file .*nothing\.csv"):
            Recorded(path=str(tmp_path / "nothing.csv")).exposure(Market(bars))
        (tmp_path / "weights.parquet").write_text("no parquet")
        with pytest.raises(InvalidValueError, match="must be a Parquet or CSV file"):
            Recorded(path=str(tmp_path / "weights.parquet")).exposure(Market(bars))
        (tmp_path / "weights.csv").write_text("times,AAPL\n")
        with pytest.raises(InvalidValueError, match="did you mean times"):
            Recorded(path=str(tmp_path / "weights.csv"), time_column="time").exposure(Market(bars))

    def test_the_example_stays_flat(self, bars: Bars) -> None:
        assert not np.nansum(Recorded.example().exposure(Market(bars)))


def test_hold_lasts_from_entry_to_exit() -> None:
    enter = np.array([[0, 1, 0, 1, 0, 0, 1, 1]], bool).T
    leave = np.array([[1, 0, 0, 0, 1, 0, 1, 0]], bool).T
    assert hold(enter, leave)[:, 0].tolist() == [0, 1, 1, 1, 0, 0, 0, 1]


def test_carry_and_postpone_move_values_forward_only() -> None:
    present = np.array([[0, 1, 0, 0, 1, 0]], bool).T
    values = np.array([[NAN, 2.0, NAN, NAN, 5.0, NAN]]).T
    np.testing.assert_array_equal(carry(values, present)[:, 0], [NAN, 2, 2, 2, 5, 5])
    orders = np.array([[1.0, NAN, 2.0, 3.0, NAN, 4.0]]).T
    np.testing.assert_array_equal(postpone(orders, present)[:, 0], [NAN, 1, NAN, NAN, 3, NAN])
