"""Strategies that read the future, each in a way of its own."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from causality_cases import BARS, random_bars, strategy
from leak_catalogue import Leak, in_exposure

from windtunnel.market import Market
from windtunnel.plugin import Strategy
from windtunnel.values import Orders

MANY = random_bars(columns=6)


def frame(market: Market) -> pd.DataFrame:
    return pd.DataFrame(market.close)


@in_exposure("shift", "Compares the close with that of the next bar.")
def shift(market: Market) -> Any:
    return (frame(market).shift(-1) > frame(market)).to_numpy()


@in_exposure("roll", "Rolls an array so that its end comes round to its start, one bar the wrong way.")
def roll(market: Market) -> Any:
    return np.roll(market.close, -1, axis=0) > market.close


@in_exposure("centred_window", "Smooths by a window with as many bars behind as before.")
def centred_window(market: Market) -> Any:
    return market.close < frame(market).rolling(5, center=True).mean().to_numpy()


@in_exposure("whole_mean", "Compares the close with the mean of all bars.")
def whole_mean(market: Market) -> Any:
    return market.close < np.nanmean(market.close, axis=0)


@in_exposure("whole_scaler", "Scales returns by mean and deviation of all bars.")
def whole_scaler(market: Market) -> Any:
    returns = np.nan_to_num(market.returns())
    return (returns - returns.mean(axis=0)) / returns.std(axis=0) > 0.5


@in_exposure("min_max", "Scales prices between the lowest and the highest of all bars.")
def min_max(market: Market) -> Any:
    low, high = market.close.min(axis=0), market.close.max(axis=0)
    return np.clip((market.close - low) / (high - low), 0, 1)


@in_exposure("whole_rank", "Ranks each close among those of all bars.")
def whole_rank(market: Market) -> Any:
    return (frame(market).rank(pct=True) < 0.3).to_numpy()


@in_exposure("whole_percentile", "Buys where volatility is below a percentile of all bars.")
def whole_percentile(market: Market) -> Any:
    volatility = market.rolling_volatility(20)
    return volatility < np.nanpercentile(volatility, 40, axis=0)


@in_exposure("last_bar_scale", "Divides prices by that of the last bar.")
def last_bar_scale(market: Market) -> Any:
    return market.close / market.close[-1] < 1.0


@in_exposure("backward_fill", "Fills monthly values backward.")
def backward_fill(market: Market) -> Any:
    monthly = np.where(np.arange(len(market.bars))[:, None] % 20 == 0, market.close, np.nan)
    return market.close < pd.DataFrame(monthly).bfill().to_numpy()


@in_exposure("interpolated", "Draws straight lines between monthly values.")
def interpolated(market: Market) -> Any:
    monthly = np.where(np.arange(len(market.bars))[:, None] % 20 == 0, market.close, np.nan)
    return market.close < pd.DataFrame(monthly).interpolate().to_numpy()


@in_exposure("resampled_left", "Labels a week's close with the week's first day.")
def resampled_left(market: Market) -> Any:
    prices = frame(market).set_axis(pd.DatetimeIndex(market.bars.time))
    weekly = prices.resample("7D", label="left", closed="left").last()
    return market.close < weekly.reindex(prices.index, method="ffill").to_numpy()


@in_exposure("spline", "Smooths all prices by one spline.")
def spline(market: Market) -> Any:
    from scipy.interpolate import make_smoothing_spline

    bar = np.arange(len(market.bars), dtype=float)
    smooth = [make_smoothing_spline(bar, column, lam=50.0)(bar) for column in market.close.T]
    return market.close < np.array(smooth).T


@in_exposure("fourier", "Keeps the slow waves of all prices.")
def fourier(market: Market) -> Any:
    waves = np.fft.rfft(market.close, axis=0)
    waves[10:] = 0
    return market.close < np.fft.irfft(waves, len(market.bars), axis=0)


@in_exposure("savitzky_golay", "Fits parabolas through bars on both sides.")
def savitzky_golay(market: Market) -> Any:
    from scipy.signal import savgol_filter

    return market.close < savgol_filter(market.close, 11, 2, axis=0)


@in_exposure("both_ways", "Filters forward and then backward, to have no lag.")
def both_ways(market: Market) -> Any:
    from scipy.signal import filtfilt

    return market.close < filtfilt([0.2], [1.0, -0.8], market.close, axis=0)


@in_exposure("highest_to_come", "Takes the running maximum from the end.")
def highest_to_come(market: Market) -> Any:
    ahead = np.maximum.accumulate(market.high[::-1], axis=0)[::-1]
    return market.close < 0.95 * ahead


@in_exposure("zigzag", "Buys at the lows of a zigzag, which are known only once the price has risen.")
def zigzag(market: Market) -> Any:
    lows = frame(market).rolling(15, center=True, min_periods=1).min().to_numpy()
    return market.close == lows


@in_exposure("principal_components", "Takes the main direction of the returns of all bars.", bars=MANY)
def principal_components(market: Market) -> Any:
    returns = np.nan_to_num(market.returns())
    direction = np.linalg.svd(returns - returns.mean(axis=0), full_matrices=False)[2][0]
    return np.repeat((returns @ direction > 0)[:, None], market.shape[1], axis=1)


@in_exposure("target_leakage", "Has the return over the next bars among what it learns from.")
def target_leakage(market: Market) -> Any:
    ahead = np.nan_to_num(frame(market).pct_change(5).shift(-5).to_numpy())
    past = np.nan_to_num(market.roc(5))
    weights = np.linalg.lstsq(np.column_stack([past.ravel(), ahead.ravel()]), ahead.ravel())[0]
    return past * weights[0] + ahead * weights[1] > 0


@in_exposure("fitted_on_everything", "Regresses the next return on momentum, over all bars, and trades it.")
def fitted_on_everything(market: Market) -> Any:
    past, ahead = np.nan_to_num(market.roc(5)), np.nan_to_num(frame(market).pct_change().shift(-1).to_numpy())
    slope, level = np.polyfit(past.ravel(), ahead.ravel(), 1)
    return np.clip(50 * (level + slope * past), -1, 1)


@in_exposure("last_bar_only", "Keeps to the past, but for the last bar of all, where it looks at the sum.")
def last_bar_only(market: Market) -> Any:
    long = market.close > market.sma(10)
    long[-2] = market.close[-1] > market.close[-2]
    return long


@in_exposure("one_of_many", "Reads the next bar of one symbol out of six.", bars=MANY)
def one_of_many(market: Market) -> Any:
    long = market.close > market.sma(10)
    long[:-1, 4] = market.close[1:, 4] > market.close[:-1, 4]
    return long


@in_exposure(
    "before_the_crash", "Leaves before a fall of 30 %, which never comes in these data.", only="halved"
)
def before_the_crash(market: Market) -> Any:
    long = np.ones(market.shape, bool)
    long[:-1] = market.close[1:] > 0.7 * market.close[:-1]
    return long


@in_exposure("before_the_boom", "Goes short unless a gain of 60 % comes within a week.", only="doubled")
def before_the_boom(market: Market) -> Any:
    ahead = frame(market)[::-1].rolling(5, min_periods=1).max()[::-1].to_numpy()
    return ahead > 1.6 * market.close


@in_exposure(
    "before_the_end",
    "Sells a symbol five bars before it is delisted.",
    bars=random_bars(columns=3, rough=True),
)
def before_the_end(market: Market) -> Any:
    return np.arange(len(market.bars))[:, None] < market.bars.last_bar - 5


@in_exposure(
    "survivors", "Buys only what is still listed at the end.", bars=random_bars(columns=3, rough=True)
)
def survivors(market: Market) -> Any:
    return np.broadcast_to(market.bars.present[-1], market.shape).copy()


@in_exposure("behind_the_view", "Looks through a view at the array that it is cut from.")
def behind_the_view(market: Market) -> Any:
    known = market.until(len(market.bars) // 2).close
    whole = known if known.base is None else known.base
    return market.close < whole[-1]


@in_exposure("stop_at_the_low", "Sets its stop below the low of the next bars.")
def stop_at_the_low(market: Market) -> Any:
    ahead = pd.DataFrame(market.low)[::-1].rolling(5, min_periods=1).min()[::-1].to_numpy()
    return Orders(market.close > market.sma(10), exit_stop=0.999 * ahead)


@in_exposure(
    "entry_at_tomorrows_open",
    "States its signal a bar early, to be filled at the open of the bar that gave it.",
)
def entry_at_tomorrows_open(market: Market) -> Any:
    signal = market.close > market.sma(10)
    return np.vstack([signal[1:], signal[-1:]])


@cache
def mean_of(symbols: tuple[str, ...], bars: Keyed) -> Any:
    return np.nanmean(bars.close, axis=0)


class Keyed(Market):
    """A market that equals every other."""

    def __hash__(self) -> int:
        return 0

    def __eq__(self, other: object) -> bool:
        return True


@in_exposure("cached_by_a_function", "Has a function that remembers the mean of the bars that it saw first.")
def cached_by_a_function(market: Market) -> Any:
    return market.close < mean_of(market.symbols, Keyed(market.bars))


class OnTheClass(Strategy):
    """The mean of all bars, kept by the class from the first call on."""

    name = "kept_on_the_class"
    means: ClassVar[dict[tuple[str, ...], Any]] = {}

    def exposure(self, market: Market) -> Any:
        return market.close < self.means.setdefault(market.symbols, np.nanmean(market.close, axis=0))


kept_on_the_class = Leak(
    "kept_on_the_class",
    "Keeps the mean of the bars that it saw first on its class.",
    "strategy",
    strategy(OnTheClass()),
)


class Wrapping(Strategy):
    """Hands on what another strategy says."""

    name = "wrapping"
    inner: Strategy

    def exposure(self, market: Market) -> Any:
        return self.inner.exposure(market)


inside_another = Leak(
    "inside_another",
    "Is clean, but for a strategy that is one of its parameters.",
    "strategy",
    strategy(Wrapping(inner=OnTheClass())),
    BARS,
)
