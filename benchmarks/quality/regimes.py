"""How good regime models are: on paths whose truth is known, and at the bear markets of the S&P 500."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from row import Row, shared

from windtunnel import Bars, Market
from windtunnel.learn import LearnedSection, answers, silent
from windtunnel.plugin import RegimeModel
from windtunnel.values import BoolArray, FloatArray, IntArray, Regimes, Request
from windtunnel_plugins.regimes import (
    BearMarket,
    ChangePoints,
    GaussianMixture,
    HiddenMarkov,
    KMeans,
    TrendVolatility,
)
from windtunnel_plugins.regimes._markov import filtered
from windtunnel_plugins.sources.synthetic import REGIMES, Synthetic

PATHS, BARS, SEED, YEAR, DRAWS = 20, 5000, 2026, 252, 2000
SCHEDULE = LearnedSection(use="", first=504, refit=252)
ALONE = LearnedSection(use="", first=504, refit=1008)
BEARS = LearnedSection(use="", first=504, refit=63)
MODELS = (HiddenMarkov(), GaussianMixture(), KMeans(), ChangePoints(), TrendVolatility())
NAMES = tuple(REGIMES)
FIRST, LAST = pd.Timestamp("2000-01-01"), pd.Timestamp("2018-12-31")


def measure() -> list[Row]:
    """Return the table."""
    rows = [row for dwell in (60, 150) for row in _synthetic(float(dwell))]
    return rows + _bears()


@dataclass(frozen=True, eq=False)
class Paths:
    """Bars, the code of the true regime, and of what the filter with the true parameters says, ``[T, N]``."""

    bars: Bars
    true: IntArray
    best: IntArray

    @classmethod
    def made(cls, dwell: float) -> Paths:
        source = Synthetic(process="regimes", assets=PATHS, bars=BARS, dwell=dwell, seed=SEED)
        table = source.load(Request())
        bars = Bars.from_frame(table.frame)
        assert table.truth is not None
        labels = table.truth["regimes"][list(bars.symbols)].to_numpy()
        true = np.array([[NAMES.index(label) for label in row] for row in labels])
        return cls(bars, true, _knowing(np.log(bars.close), np.log(source.price), dwell))


def _knowing(logs: FloatArray, first: float, dwell: float) -> IntArray:
    """Return the likeliest regime by the forward filter with the true drifts, volatilities and dwell."""
    drift, volatility = np.array(list(REGIMES.values())).T
    deviation = volatility / np.sqrt(YEAR)
    stay = np.full((4, 4), 1 / dwell / 3)
    np.fill_diagonal(stay, 1 - 1 / dwell)
    model = np.full(4, 0.25), stay, drift / YEAR - deviation**2 / 2, deviation
    steps = np.diff(logs, axis=0, prepend=np.full((1, logs.shape[1]), first))
    columns = [filtered(np.ascontiguousarray(one), *model).argmax(axis=1) for one in steps.T]
    return np.column_stack(columns)


def _ask(model: RegimeModel, section: LearnedSection, market: Market) -> Regimes:
    if not model.learns:
        return model.predict(market, None)
    return answers(model, section, market, model.fit, model.predict, silent)


def _synthetic(dwell: float) -> list[Row]:
    paths, exam = Paths.made(dwell), f"regimes, synthetic, dwell {dwell:g}"
    heard = slice(SCHEDULE.first, None)
    true, market = paths.true[heard], Market(paths.bars)
    best = (paths.best[heard] == true).mean(axis=0)
    counts = np.bincount(true.ravel(), minlength=4)
    always = f"always {NAMES[counts.argmax()]} {counts.max() / counts.sum():.3f}"
    rows = [Row(exam, "filter that knows the parameters", "accuracy", *_mean(best), always)]
    shares = {}
    for model in MODELS:
        codes = _codes(_ask(model, SCHEDULE, market))[heard]
        right = (codes == true).mean(axis=0)
        shares[model.name] = _share(right, best)
        note = f"share of the knowing filter's accuracy {shares[model.name][0]:.3f}; {_delay(codes, true)}"
        rows.append(Row(exam, model.name, "accuracy", *_mean(right), always, note=note))
    top = max(shares, key=lambda name: shares[name][0])
    note = (
        "the 20 paths are one panel, learned from together; first fit after 504 bars, then every 252; "
        f"seed {SEED}; the interval is a bootstrap of whole paths"
    )
    beside, floor = f"knowing filter {best.mean():.3f}", "at least 0.95"
    met = shares[top][0] >= 0.95
    rows.append(Row(exam, top, "share of the accuracy", *shares[top], beside, floor, met, note))
    return [*rows, _alone(exam, paths)]


def _alone(exam: str, paths: Paths) -> Row:
    """Return how the hidden Markov model does where it has a single path to learn from."""
    heard, market = slice(ALONE.first, None), Market(paths.bars)
    codes = [
        _codes(_ask(HiddenMarkov(), ALONE, market.select([symbol])))[heard, 0]
        for symbol in paths.bars.symbols
    ]
    true = paths.true[heard]
    right, best = (np.column_stack(codes) == true).mean(axis=0), (paths.best[heard] == true).mean(axis=0)
    note = (
        "each path by itself, refitted every 1,008 bars: 20 years hold too few regimes to learn four drifts"
    )
    beside = f"knowing filter {best.mean():.3f}"
    return Row(
        exam, "hidden_markov, single paths", "share of the accuracy", *_share(right, best), beside, note=note
    )


def _codes(regimes: Regimes) -> IntArray:
    """Return codes in the order of NAMES; -1 where the model abstains, which is never right."""
    place = np.array([*(NAMES.index(name) for name in regimes.names), -1])
    return np.asarray(place[regimes.codes])


def _mean(right: FloatArray) -> tuple[float, float, float]:
    return _share(right, np.ones(len(right)))


def _share(right: FloatArray, best: FloatArray) -> tuple[float, float, float]:
    """Return the ratio of the means over paths, with its interval."""
    drawn = np.random.default_rng(1).integers(len(right), size=(DRAWS, len(right)))
    ratios = right[drawn].mean(axis=1) / best[drawn].mean(axis=1)
    low, high = np.quantile(ratios, (0.025, 0.975))
    return float(right.mean() / best.mean()), float(low), float(high)


def _delay(codes: IntArray, true: IntArray) -> str:
    """Say after how many bars a change was recognised, and how often before the next."""
    waits = []
    for said, was in zip(codes.T, true.T, strict=True):
        changes = np.flatnonzero(np.diff(was)) + 1
        for start, stop in zip(changes, [*changes[1:], len(was)], strict=True):
            seen = np.flatnonzero(said[start:stop] == was[start])
            waits.append(seen[0] if len(seen) else np.nan)
    low, middle, high = np.nanpercentile(waits, (25, 50, 75))
    seen_share = 1 - np.isnan(waits).mean()
    return (
        f"{seen_share:.0%} of changes recognised, after {middle:.0f} bars (quartiles {low:.0f}, {high:.0f})"
    )


def _bears() -> list[Row]:
    folder = shared()
    files = [
        folder / "data/sp500_vix_daily" / name for name in ("sp500_1985_1998.csv", "sp500_1999_2018.csv")
    ]
    prices = pd.concat([pd.read_csv(file, parse_dates=["Date"]) for file in files], ignore_index=True)
    kept = prices.rename(columns=str.lower).rename(columns={"date": "time"})
    bars = Bars.from_frame(kept[["time", "open", "high", "low", "close", "volume"]])
    listed = json.loads((folder / "oracles/regimes/bull_bear_sp500.json").read_text(encoding="utf-8"))
    spans = [(pd.Timestamp(bear["peak"]), pd.Timestamp(bear["trough"])) for bear in listed["classic_bears"]]
    time = pd.DatetimeIndex(bars.time)
    bears = [(time.get_loc(peak), time.get_loc(end)) for peak, end in spans if FIRST <= peak <= LAST]
    market = Market(bars)
    close = bars.close[:, 0]
    rules = {
        "rule of 20 %": _fallen(close, 0.2),
        "SMA 50/200": (market.sma(50) < market.sma(200))[:, 0],
        "trend_volatility, 250 bars": _bearish(
            TrendVolatility(trend=250, slope=60, lookback=1000, quantile=0.99, dwell=120), market
        ),
        "hidden_markov, dwell 60": _bearish(HiddenMarkov(dwell=60), market),
        "bear_market": _bearish(BearMarket(), market),
    }
    return [row for name, bear in rules.items() for row in _judge(name, bear, bears, time)]


def _bearish(model: RegimeModel, market: Market) -> BoolArray:
    return _ask(model, BEARS, market).is_any(["trending_bearish"])[:, 0]


def _fallen(close: FloatArray, share: float) -> BoolArray:
    """Return where the last of a fall and a rise by a share, from the extreme before, was a fall."""
    bears, bear, extreme = [], False, close[0]
    for price in close:
        extreme = min(extreme, price) if bear else max(extreme, price)
        if price >= extreme * (1 + share) if bear else price <= extreme * (1 - share):
            bear, extreme = not bear, price
        bears.append(bear)
    return np.array(bears)


def _judge(name: str, bear: BoolArray, bears: Sequence[tuple[int, int]], time: pd.DatetimeIndex) -> list[Row]:
    found = [np.flatnonzero(bear[peak : trough + 1]) for peak, trough in bears]
    delays = [int(bars[0]) if len(bars) else None for bars in found]
    begins = np.flatnonzero(np.diff(bear.astype(np.int8), prepend=0) == 1)
    begins = begins[(time[begins] >= FIRST) & (time[begins] <= LAST)]
    false = [start for start in begins if not any(peak <= start <= trough for peak, trough in bears)]
    days = ", ".join(f"{time[start]:%Y-%m-%d}" for start in false) or "none"
    all_found = None not in delays
    middle = float(np.median([bars for bars in delays if bars is not None] or [np.nan]))
    exam, beside = "bear markets, S&P 500, 2000–2018", "20 % rule 242 and 188 bars, none false"
    judged = name == "bear_market"
    note = f"delays {delays} bars from the peaks of 2000 and 2007; false bears begin {days}"
    floor = "both found, median at most 180" if judged else ""
    fewest = "at most 2" if judged else ""
    return [
        Row(
            exam,
            name,
            "bars from the peak, median",
            middle,
            baseline=beside,
            floor=floor,
            met=all_found and middle <= 180 if judged else None,
            note=note,
        ),
        Row(
            exam,
            name,
            "false bear markets",
            float(len(false)),
            baseline=beside,
            floor=fewest,
            met=len(false) <= 2 if judged else None,
        ),
    ]
