"""How signals ended, on hand-made bars and against a plain loop."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from windtunnel.bars import Bars
from windtunnel.learn import Barriers, barrier_outcomes, realised_volatility, scale_at, trade_outcomes
from windtunnel.market import Market
from windtunnel.values import Orders, Outcomes, RangeShare, Rules, SignalFeatures

NAN = float("nan")
FLAT = [100.0] * 6


class Steady(Market):
    """A market whose volatility is a tenth a bar, unless the test says otherwise."""

    steady = 0.1

    def rolling_volatility(self, window: int) -> np.ndarray:
        return np.full(self.shape, self.steady * np.sqrt(self.periods_per_year))


def signals(*where: tuple[int, int, int]) -> SignalFeatures:
    """Signals of bar, symbol and direction."""
    bar, symbol, direction = (np.array(each, np.int64) for each in zip(*where, strict=True))
    return SignalFeatures((), np.empty((len(bar), 0)), bar, symbol, direction)


def signal(bar: int, direction: int = 1) -> SignalFeatures:
    return signals((bar, 0, direction))


def bars(open_: list[float], high: list[float], low: list[float], close: list[float]) -> Bars:
    time = np.datetime64("2020-01-01") + np.arange(len(close))
    return Bars.from_arrays(time, close, open=open_, high=high, low=low)


def panel(rows: int, seed: int, missing: float) -> Bars:
    """Two rough symbols with gaps."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.normal(0, 0.1, (rows, 2)), axis=0))
    open_ = close * np.exp(random.normal(0, 0.05, close.shape))
    high, low = np.maximum(open_, close) * 1.03, np.minimum(open_, close) / 1.03
    gone = random.random(close.shape) < missing
    prices = [np.asfortranarray(np.where(gone, NAN, field)) for field in (open_, high, low, close)]
    time = np.datetime64("2020-01-01", "ns") + np.arange(rows) * np.timedelta64(1, "D")
    return Bars(time, ("A", "B"), *prices, prices[3] * NAN, np.full(2, rows - 1))


@pytest.mark.parametrize(
    ("high", "low", "direction", "known", "returns"),
    [
        ([100, 100, 100, 125, 100, 100], FLAT, 1, 3, 0.2),  # 100 × (1 + 0.1 × √4) is touched on bar 3
        (FLAT, [100, 100, 75, 100, 100, 100], 1, 2, -0.2),
        ([100, 100, 125, 100, 100, 100], [100, 100, 75, 100, 100, 100], 1, 2, -0.2),  # both: the stop first
        (FLAT, [100, 100, 75, 100, 100, 100], -1, 2, 0.2),
        ([100, 100, 100, 100, 130, 100], FLAT, -1, 4, -0.2),
        (FLAT, FLAT, 1, 5, 0.0),  # neither: as it stands after the horizon
        ([130, 130, 100, 100, 100, 100], [70, 70, 100, 100, 100, 100], 1, 5, 0.0),  # before the entry
    ],
)
def test_triple_barrier(
    high: list[float], low: list[float], direction: int, known: int, returns: float
) -> None:
    market = Steady(bars(FLAT, high, low, FLAT))
    ended = barrier_outcomes(market, signal(1, direction), Barriers(1.0, 1.0, 4), Rules())
    assert ended.known.tolist() == [known]
    assert ended.returns[0] == pytest.approx(returns)
    assert ended.won[0] == (returns > 0)


def test_target_and_stop_have_widths_of_their_own() -> None:
    """Target 2 and stop 0.5 times 0.2 from 100: 140 and 90."""
    rising = bars(FLAT, [100, 100, 100, 139, 141, 100], FLAT, FLAT)
    falling = bars(FLAT, FLAT, [100, 100, 100, 91, 89, 100], FLAT)
    for data, returns in ((rising, 0.4), (falling, -0.1)):
        ended = barrier_outcomes(Steady(data), signal(1), Barriers(2.0, 0.5, 4), Rules())
        assert (ended.known[0], ended.returns[0]) == (4, pytest.approx(returns))


def test_the_fill_says_where_it_opens() -> None:
    """The signal's close is 100, the next open 110, the close after the horizon 121."""
    open_, close = [100, 100, 110, 121, 121], [100, 100, 121, 121, 121]
    market = Steady(bars(open_, np.maximum(open_, close).tolist(), np.minimum(open_, close).tolist(), close))
    wide = Barriers(9.0, 9.0, 2)
    assert barrier_outcomes(market, signal(1), wide, Rules()).returns[0] == pytest.approx(0.1)
    assert barrier_outcomes(market, signal(1), wide, Rules(fill="close")).returns[0] == pytest.approx(0.21)


def test_costs_count_and_an_unfinished_outcome_is_unknown() -> None:
    market = Steady(bars(FLAT, FLAT, FLAT, FLAT))
    barriers = Barriers(1.0, 1.0, 4)
    ended = barrier_outcomes(market, signal(1), barriers, Rules(fees=0.01, slippage=0.005))
    assert ended.returns[0] == pytest.approx(-0.03)
    assert not ended.won[0]
    unfinished = barrier_outcomes(market, signal(2), barriers, Rules())
    assert unfinished.known.tolist() == [6]
    assert np.isnan(unfinished.returns[0])
    assert not unfinished.won[0]


@pytest.mark.parametrize(
    ("rules", "cost"),
    [
        (Rules(fees=0.01, fees_by_symbol={"asset": 0.002}), 0.004),
        (Rules(fee_fixed=5.0, cash=1000.0), 0.01),
        (Rules(slippage=RangeShare(range=0.25)), 2 * 0.25 * 0.1),  # the signal's bar spans 95 to 105
    ],
)
def test_each_cost_by_hand(rules: Rules, cost: float) -> None:
    market = Steady(bars(FLAT, [105.0] * 6, [95.0] * 6, FLAT))
    ended = barrier_outcomes(market, signal(1), Barriers(1.0, 1.0, 4), rules)
    assert ended.returns[0] == pytest.approx(-cost)


def test_an_open_beyond_the_barrier_is_the_price() -> None:
    prices = [100, 100, 100, 70, 70, 70]
    market = Steady(bars(prices, FLAT, prices, prices))
    barriers = Barriers(1.0, 1.0, 3)
    assert barrier_outcomes(market, signal(1), barriers, Rules()).returns[0] == pytest.approx(-0.3)
    assert barrier_outcomes(market, signal(1, -1), barriers, Rules()).returns[0] == pytest.approx(0.3)


@pytest.mark.parametrize("volatility", [0.0, NAN])
def test_without_a_volatility_there_is_no_outcome(volatility: float) -> None:
    market = Steady(bars(FLAT, FLAT, FLAT, FLAT))
    market.steady = volatility
    ended = barrier_outcomes(market, signal(1), Barriers(1.0, 1.0, 2), Rules())
    assert ended.known.tolist() == [6]
    assert np.isnan(ended.returns).all()


def test_no_signal_has_no_outcome() -> None:
    none = signal(1).take(np.zeros(1, np.bool_))
    market = Steady(bars(FLAT, FLAT, FLAT, FLAT))
    assert len(barrier_outcomes(market, none, Barriers(1.0, 1.0, 2), Rules())) == 0
    assert len(trade_outcomes(market.bars, Orders(np.zeros((6, 1))), none, Rules())) == 0


def looped(
    data: Bars, asked: SignalFeatures, target: float, stop: float, horizon: int, close: bool
) -> Outcomes:
    """The same definition once more, bar by bar, with a width of 0.1 × √horizon."""
    width = 0.1 * math.sqrt(horizon)
    returns, known = np.full(len(asked), NAN), np.full(len(asked), len(data))
    for place, (bar, symbol, side) in enumerate(
        zip(asked.bar.tolist(), asked.symbol.tolist(), asked.direction.tolist(), strict=True)
    ):
        own = [row for row in range(bar + 1, len(data)) if data.present[row, symbol]][:horizon]
        if not own:
            continue
        entry = data.close[bar, symbol] if close else data.open[own[0], symbol]
        levels = entry * (1 + side * target * width), entry * (1 - side * stop * width)
        for row in own:
            open_, high, low = (field[row, symbol] for field in (data.open, data.high, data.low))
            gain, loss = (high, low) if side > 0 else (low, high)
            if side * loss <= side * levels[1]:
                price = side * min(side * open_, side * levels[1])
            elif side * gain >= side * levels[0]:
                price = side * max(side * open_, side * levels[0])
            else:
                continue
            returns[place], known[place] = side * (price / entry - 1), row
            break
        else:
            if len(own) == horizon:
                last = data.close[own[-1], symbol]
                returns[place], known[place] = side * (last / entry - 1), own[-1]
    return Outcomes(returns > 0, returns, known)


@settings(max_examples=80)
@given(
    seed=st.integers(0, 10_000),
    target=st.floats(0.2, 3),
    stop=st.floats(0.2, 3),
    horizon=st.integers(1, 12),
    close=st.booleans(),
    missing=st.sampled_from([0.0, 0.3, 0.7]),
)
def test_against_a_loop(
    seed: int, target: float, stop: float, horizon: int, close: bool, missing: float
) -> None:
    data = panel(30, seed, missing)
    bar, symbol = np.nonzero(data.present)
    side = np.where(np.random.default_rng(seed).random(len(bar)) < 0.5, 1, -1)
    asked = SignalFeatures((), np.empty((len(bar), 0)), bar, symbol, side)
    rules = Rules(fill="close" if close else "next_open")
    ended = barrier_outcomes(Steady(data), asked, Barriers(target, stop, horizon), rules)
    expected = looped(data, asked, target, stop, horizon, close)
    np.testing.assert_array_equal(ended.known, expected.known)
    np.testing.assert_allclose(ended.returns, expected.returns, atol=1e-12)


@given(seed=st.integers(0, 50), stop=st.integers(25, 60))
@settings(max_examples=40)
def test_an_outcome_rests_on_nothing_after_it_is_known(seed: int, stop: int) -> None:
    data = panel(60, seed, 0.1)
    bar, symbol = np.nonzero(data.present[:stop])
    asked = SignalFeatures((), np.empty((len(bar), 0)), bar, symbol, np.ones(len(bar), np.int64))
    whole = barrier_outcomes(Market(data), asked, Barriers(1.0, 1.0, 5), Rules())
    part = barrier_outcomes(Market(data.cut(0, stop)), asked, Barriers(1.0, 1.0, 5), Rules())
    by_then = whole.known < stop
    np.testing.assert_array_equal(part.known, np.where(by_then, whole.known, stop))
    np.testing.assert_array_equal(part.returns, np.where(by_then, whole.returns, NAN))


def test_the_barriers_are_as_wide_as_was_known_at_the_signal() -> None:
    data = panel(60, 3, 0.2)
    row = int(np.flatnonzero(data.present[:, 1])[30])
    closes = data.close[: row + 1, 1][data.present[: row + 1, 1]][-21:]
    (width,) = scale_at(Market(data), signals((row, 1, 1)), 9)
    assert width == pytest.approx(np.diff(np.log(closes)).std(ddof=1) * 3)


def trades(exposure: list[float], asked: SignalFeatures, rules: Rules, prices: list[float]) -> Outcomes:
    data = bars(prices, prices, prices, prices)
    return trade_outcomes(data, Orders(np.array(exposure, float)[:, None]), asked, rules)


PRICES = [100.0, 100, 110, 120, 90, 80, 80, 100]


@pytest.mark.parametrize(
    ("fill", "returns", "known"),
    [
        ("next_open", [90 / 110 - 1, 1 - 100 / 80], [4, 7]),  # from bar 2 to 4, and from 5 to 7
        ("close", [120 / 100 - 1, 1 - 80 / 90], [3, 6]),
    ],
)
def test_trades_by_hand(fill: str, returns: list[float], known: list[int]) -> None:
    """Wanted long from bar 1 to bar 3, short from bar 4 to bar 6."""
    exposure = [0.0, 1, 1, 0, -1, -1, 0, 0]
    ended = trades(exposure, signals((1, 0, 1), (4, 0, -1)), Rules(fill=fill), PRICES)
    np.testing.assert_allclose(ended.returns, returns)
    assert ended.known.tolist() == known
    assert ended.won.tolist() == [value > 0 for value in returns]


def test_a_flip_ends_one_trade_and_begins_the_next() -> None:
    ended = trades([0.0, 1, 1, -1, -1, 0, 0, 0], signals((1, 0, 1), (3, 0, -1)), Rules(), PRICES)
    np.testing.assert_allclose(ended.returns, [90 / 110 - 1, 1 - 80 / 90])
    assert ended.known.tolist() == [4, 6]


def test_a_trade_pays_fees_and_obeys_stops() -> None:
    """Long at the open of bar 2 at 110; the stop 15 % below, at 93.5, is passed by the open of bar 4, 90."""
    exposure = [0.0, 1, 1, 1, 1, 1, 1, 0]
    ended = trades(exposure, signal(1), Rules(stop_loss=0.15, fees=0.01), PRICES)
    assert ended.known.tolist() == [4]
    assert ended.returns[0] == pytest.approx((90 * 0.99 - 110 * 1.01) / 110, abs=0.003)
    assert ended.returns[0] < 90 / 110 - 1


def test_what_the_data_end_before_or_the_rules_refuse_stays_unknown() -> None:
    exposure = [0.0, 1, 1, 0, -1, -1, 0, 1]
    asked = signals((1, 0, 1), (4, 0, -1), (7, 0, 1))
    ended = trades(exposure, asked, Rules(sides="long"), PRICES)
    assert ended.known.tolist() == [4, 8, 8]
    assert np.isnan(ended.returns).tolist() == [False, True, True]
    still_open = trades([0.0, 1, 1, 1, 1, 1, 1, 1], signal(1), Rules(), PRICES)
    assert still_open.known.tolist() == [8]
    assert not still_open.won[0]


def test_each_symbol_trades_on_its_own() -> None:
    """With cash for one alone, both symbols' signals still end as trades of a whole account."""
    close = np.column_stack([PRICES, PRICES[::-1]])
    data = Bars.from_arrays(np.datetime64("2020-01-01") + np.arange(8), close)
    exposure = np.array([[0.0, 1, 1, 0, 0, 0, 0, 0]] * 2).T
    ended = trade_outcomes(data, Orders(exposure), signals((1, 0, 1), (1, 1, 1)), Rules())
    np.testing.assert_allclose(ended.returns, [90 / 110 - 1, 120 / 80 - 1])
    assert ended.known.tolist() == [4, 4]


def test_realised_volatility_by_hand() -> None:
    """Log returns 0.1, -0.2, 0.3, with a bar missing in between."""
    close = np.exp([0.0, 0.1, NAN, -0.1, 0.2])
    ahead = realised_volatility(close, 2, 4.0)
    expected = [math.sqrt(4 * 0.05 / 2), math.sqrt(4 * 0.13 / 2), NAN, NAN, NAN]
    np.testing.assert_allclose(ahead, expected)
    assert np.isnan(realised_volatility(close, 4, 4.0)).all()
    np.testing.assert_array_equal(realised_volatility(np.full(4, 0.1), 1, 252.0), [0, 0, 0, NAN])
