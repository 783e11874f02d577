"""Entries and what was known at each, on hand-made bars."""

from __future__ import annotations

import numpy as np

from windtunnel.bars import Bars
from windtunnel.features import NAMES
from windtunnel.learn import entries, held_direction, signal_features, with_record
from windtunnel.market import Market
from windtunnel.values import Forecast, Orders, Outcomes, Patterns, Regimes, SignalFeatures

NAN = float("nan")


def test_entries_open_or_flip() -> None:
    exposure = np.array([[0, 1, 1, -1, -1, 0, NAN, 0.5]], dtype=float).T
    present = np.ones((8, 1), np.bool_)
    assert np.flatnonzero(entries(exposure, present)).tolist() == [1, 3, 7]


def test_an_entry_on_the_first_bar_counts_and_missing_bars_do_not() -> None:
    present = np.array([[True, False, True, True]]).T
    exposure = np.array([[True, False, True, False]]).T
    assert np.flatnonzero(entries(exposure, present)).tolist() == [0]


def test_a_side_is_kept_where_nothing_is_said() -> None:
    exposure = np.array([[NAN, 0.3, NAN, -2, 0, NAN, 1], [1, 1, -1, -1, 0.0, 0, -0.1]]).T
    present = np.ones((7, 2), np.bool_)
    present[[2, 6], 1] = False
    np.testing.assert_array_equal(
        held_direction(exposure, present).T, [[0, 1, 1, -1, 0, 0, 1], [1, 1, 1, -1, 0, 0, 0]]
    )


def market_of(rows: int = 8) -> Market:
    close = 100.0 + np.arange(2 * rows).reshape(rows, 2) % 3
    return Market(Bars.from_arrays(np.datetime64("2020-01-01") + np.arange(rows), close))


def column(signals: SignalFeatures, name: str) -> list[float]:
    values: list[float] = signals.values[:, signals.names.index(name)].tolist()
    return values


def at(market: Market, *where: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """Entries of bar, symbol and side."""
    entry, side = np.zeros(market.shape, np.bool_), np.zeros(market.shape, np.int64)
    for bar, symbol, direction in where:
        entry[bar, symbol], side[bar, symbol] = True, direction
    return {"entry": entry, "side": side}


def test_the_markets_features_come_first_in_the_order_of_bars() -> None:
    market = market_of()
    signals = signal_features(market, **at(market, (6, 0, -1), (2, 1, 1), (6, 1, 1)))
    assert signals.names == (*NAMES, "direction")
    assert signals.bar.tolist() == [2, 6, 6]
    assert signals.symbol.tolist() == [1, 0, 1]
    assert signals.direction.tolist() == column(signals, "direction") == [1, -1, 1]
    np.testing.assert_array_equal(signals.values[:, :-1], market.features().values[[2, 6, 6], [1, 0, 1]])


def test_reward_over_risk_by_hand() -> None:
    """Long at 100, stop 90, target 125: 2.5. Short at 101, stop 105, target 95: 1.5. Wrong side: unknown."""
    market = market_of()
    close, blank = np.array(market.close), np.full(market.shape, NAN)
    stop, target = blank.copy(), blank.copy()
    stop[0, 0], target[0, 0] = close[0, 0] - 10, close[0, 0] + 25
    stop[2, 1], target[2, 1] = close[2, 1] + 4, close[2, 1] - 6
    stop[4, 0], target[4, 0] = close[4, 0] + 1, close[4, 0] + 9
    orders = Orders(np.zeros(market.shape), exit_stop=stop, exit_target=target)
    entries_ = at(market, (0, 0, 1), (2, 1, -1), (4, 0, 1), (6, 0, 1))
    signals = signal_features(market, **entries_, orders=orders)
    np.testing.assert_allclose(column(signals, "reward_risk"), [2.5, 1.5, NAN, NAN])
    assert "reward_risk" not in signal_features(market, **entries_, orders=Orders(stop, exit_stop=stop)).names


def test_what_models_said_is_read_at_the_signal() -> None:
    market = market_of()
    share = np.arange(16).reshape(8, 2) / 16
    regimes = Regimes(("up", "down"), np.stack([share, 1 - share], axis=-1))
    forecast = Forecast(share + 1, share, share + 2, 5)
    signals = signal_features(market, **at(market, (3, 1, 1), (5, 0, 1)), regimes=regimes, forecast=forecast)
    assert signals.names[-4:] == ("direction", "regime.up", "regime.down", "forecast")
    np.testing.assert_array_equal(column(signals, "regime.up"), [7 / 16, 10 / 16])
    np.testing.assert_array_equal(column(signals, "regime.down"), [9 / 16, 6 / 16])
    np.testing.assert_array_equal(column(signals, "forecast"), [23 / 16, 26 / 16])


def test_the_latest_pattern_speaks_for_five_bars() -> None:
    market = market_of(14)
    confirmed, direction = np.array([2, 3, 3, 6]), np.array([1, -1, 1, 0])
    symbol, confidence = np.array([0, 0, 1, 0]), np.array([0.9, 0.6, 0.3, 1.0])
    none = np.full(4, NAN)
    patterns = Patterns(
        symbol, np.array(["x"] * 4), confirmed, confirmed, direction, confidence, none, none, 14
    )
    where = (1, 0, 1), (2, 0, 1), (3, 0, 1), (3, 1, -1), (7, 0, -1), (8, 0, 1)
    signals = signal_features(market, **at(market, *where), patterns=patterns)
    assert column(signals, "pattern") == [0, 0.9, -0.6, -0.3, 0.6, 0]


def recorded(bar: list[int], won: list[bool], known: list[int]) -> list[float]:
    count = len(bar)
    zeros = np.zeros(count, np.int64)
    signals = SignalFeatures((), np.empty((count, 0)), np.array(bar), zeros, zeros + 1)
    ended = Outcomes(np.array(won), np.where(won, 0.1, -0.1), np.array(known))
    said = with_record(signals, ended)
    assert said.names == ("win_rate",)
    return column(said, "win_rate")


def test_the_recent_win_rate_counts_what_was_known_by_then() -> None:
    rates = recorded([0, 2, 4, 5, 9], [True, False, True, False, True], [5, 4, 8, 99, 10])
    np.testing.assert_array_equal(rates, [NAN, NAN, 0.0, 0.5, 2 / 3])


def test_the_recent_win_rate_forgets_all_but_twenty() -> None:
    bar = list(range(30))
    rates = recorded(bar, [at < 5 for at in bar], bar)
    np.testing.assert_allclose(rates[:5], 1.0)
    assert rates[19] == 5 / 20
    assert rates[21] == 3 / 20
    assert rates[29] == 0.0
