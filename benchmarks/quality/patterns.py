"""How good pattern detectors are: planted in random walks, documented by others, and candlesticks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import nan, sqrt

import numpy as np
import pandas as pd
from geometry import meets
from row import Row, shared

from windtunnel import Bars
from windtunnel.market import Market
from windtunnel.values import BoolArray, Patterns, Request
from windtunnel_plugins.patterns import Candlesticks, ChartPatterns
from windtunnel_plugins.patterns.candlesticks import CANDLES
from windtunnel_plugins.sources import Synthetic

WALKS, BARS, PLANTED, SEED = 200, 1000, 4, 0
AMPLITUDES, FLOORS = (1.0, 2.0, 4.0), {2.0: 0.6, 4.0: 0.8}
PRECISION, STRONG = 0.85, 2.4
KINDS = {
    "double_bottom": {"double_bottom"},
    "double_top": {"double_top"},
    "head_shoulders": {"head_and_shoulders"},
    "ascending": {"ascending_triangle"},
    "descending": {"descending_triangle"},
    "symmetrical": {"symmetric_triangle"},
    "flag": {"bull_flag", "bear_flag"},
}


def measure() -> list[Row]:
    """Return recall, precision and false alarms on planted patterns, and recall on documented ones."""
    planted = [row for amplitude in AMPLITUDES for row in _planted(amplitude)]
    return [*planted, *_alarms(), *_documented(), *_candles()]


@dataclass(frozen=True)
class Exam:
    """Walks, what was planted in them (walk, first, last, type), and what was found."""

    market: Market
    planted: pd.DataFrame
    found: Patterns

    @cached_property
    def pairs(self) -> pd.DataFrame:
        """Every planted pattern with every detection of its type in its walk, and the bars they share."""
        return _pairs(self.planted, self.found)

    @cached_property
    def geometric(self) -> BoolArray:
        """Which detections meet the definition, read off the closes alone."""
        close, found = np.log(self.market.close), self.found
        spans = zip(found.symbol, found.first, found.confirmed, strict=True)
        return np.array(
            [
                meets(str(name), close[a : b + 1, column], int(way))
                for name, way, (column, a, b) in zip(found.type, found.direction, spans, strict=True)
            ],
            np.bool_,
        )


def _walks(amplitude: float, patterns: int) -> tuple[Market, pd.DataFrame]:
    source = Synthetic(
        process="gbm", seed=SEED, assets=WALKS, bars=BARS, patterns=patterns, amplitude=amplitude
    )
    table = source.load(Request())
    bars, truth = Bars.from_frame(table.frame), (table.truth or {})["patterns"]
    planted = pd.DataFrame(
        {
            "walk": [bars.column(symbol) for symbol in truth["symbol"]],
            "type": truth["type"],
            "first": np.searchsorted(bars.time, truth["first"].to_numpy("datetime64[ns]")),
            "last": np.searchsorted(bars.time, truth["last"].to_numpy("datetime64[ns]")),
        }
    )
    return Market(bars), planted


def _pairs(planted: pd.DataFrame, found: Patterns, shift: int = 0) -> pd.DataFrame:
    """Pair by type and walk, the detections moved by ``shift`` walks."""
    walk = (found.symbol + shift) % WALKS
    columns = {"walk": walk, "type": found.type, "begin": found.first, "end": found.confirmed}
    detections = pd.DataFrame(columns).reset_index(names="detection")
    pairs = planted.reset_index(names="truth").merge(detections, on=["walk", "type"])
    shared_bars = np.minimum(pairs["last"], pairs["end"]) - np.maximum(pairs["first"], pairs["begin"]) + 1
    own, theirs = pairs["last"] - pairs["first"] + 1, pairs["end"] - pairs["begin"] + 1
    return pairs.assign(cover=shared_bars / own, mutual=shared_bars / np.maximum(own, theirs))


def _planted(amplitude: float) -> Iterator[Row]:
    """Yield recall and precision of the detector as it comes, and of one that asks for strong legs."""
    market, planted = _walks(amplitude, PLANTED)
    name = f"planted chart patterns, amplitude {amplitude:g}"
    for detector, model, floor in (
        (ChartPatterns(), "chart_patterns", FLOORS.get(amplitude)),
        (ChartPatterns(clear=STRONG), f"chart_patterns, clear {STRONG}", None),
    ):
        exam = Exam(market, planted, detector.detect(market, None))
        yield from _recall(name, model, exam, floor)
        yield from _precision(name, model, exam, as_it_comes=detector == ChartPatterns())


def _recall(name: str, model: str, exam: Exam, floor: float | None) -> Iterator[Row]:
    count, pairs, chance = len(exam.planted), exam.pairs, _pairs(exam.planted, exam.found, shift=1)
    note = (
        f"{count} planted in {WALKS} walks of {BARS:,} bars, those in the warm-up too; {len(exam.found):,} "
        "found. A hit has the planted type and direction and covers half the planted span or more"
    )
    for what, column, must in (
        ("recall", "cover", floor),
        ("recall, sharing half of the longer span", "mutual", None),
    ):
        hits, luck = (frame.loc[frame[column] >= 0.5, "truth"].nunique() for frame in (pairs, chance))
        value, low, high = _share(hits, count)
        naive = f"the same in the next walk {luck / count:.3f}"
        told, met = ("", None) if must is None else (f"≥ {must}", value >= must)
        yield Row(name, model, what, value, low, high, naive, told, met, note)


def _precision(name: str, model: str, exam: Exam, *, as_it_comes: bool) -> Iterator[Row]:
    chance = _pairs(exam.planted, exam.found, shift=1)
    real, luck = (
        np.isin(np.arange(len(exam.found)), frame.loc[frame["cover"] >= 0.5, "detection"])
        for frame in (exam.pairs, chance)
    )
    if as_it_comes:
        value, low, high = _share(int((real | exam.geometric).sum()), len(exam.found))
        naive = f"random spans, same lengths and types {_by_chance(exam):.3f}"
        note = (
            "planted, or a pattern by geometry: a second program judges the closes of the span alone; "
            "all types count, also those never planted"
        )
        told = f"≥ {PRECISION}"
        yield Row(name, model, "precision", value, low, high, naive, told, value >= PRECISION, note)
    naive = f"the same in the next walk {luck.mean():.3f}"
    note = "a random walk is full of such patterns: most of what is found was not planted"
    share = _share(int(real.sum()), len(exam.found))
    yield Row(name, model, "raw precision, planted only", *share, naive, note=note)


def _by_chance(exam: Exam) -> float:
    """Return how often a random span meets the geometry that a detection of its length claims."""
    random = np.random.default_rng(SEED)
    found, close = exam.found, np.log(exam.market.close)
    rows = random.choice(len(found), min(len(found), 4000), replace=False)
    met = []
    for row in rows:
        length = int(found.confirmed[row] - found.first[row])
        start = int(random.integers(BARS - length))
        span = close[start : start + length + 1, int(random.integers(WALKS))]
        met.append(meets(str(found.type[row]), span, int(found.direction[row])))
    return float(np.mean(met))


def _alarms() -> Iterator[Row]:
    """Yield how many patterns are found where none was planted."""
    market, _ = _walks(AMPLITUDES[-1], 0)
    for detector, model in (
        (ChartPatterns(), "chart_patterns"),
        (ChartPatterns(clear=STRONG), f"chart_patterns, clear {STRONG}"),
    ):
        each = np.bincount(detector.detect(market, None).symbol, minlength=WALKS) * 100 / BARS
        mean, error = float(each.mean()), 1.96 * float(each.std(ddof=1)) / sqrt(WALKS)
        interval = mean, mean - error, mean + error
        yield Row("walks without patterns", model, "found in 100 bars", *interval, "planted: 0")


def _share(part: int, whole: int) -> tuple[float, float, float]:
    """Return a share with its interval by Wilson (1927), JASA 22."""
    if not whole:
        return nan, nan, nan
    share, z = part / whole, 1.96
    middle = (share + z**2 / (2 * whole)) / (1 + z**2 / whole)
    half = z / (1 + z**2 / whole) * sqrt(share * (1 - share) / whole + z**2 / (4 * whole**2))
    return share, max(0.0, middle - half), min(1.0, middle + half)


def _documented() -> Iterator[Row]:
    """Yield how many of the patterns that another program found we find too, by kind."""
    folder = shared() / "oracles" / "patterns"
    cases = json.loads((folder / "zeta_zetra_chart_patterns.json").read_text(encoding="utf-8"))["cases"]
    for case in cases:
        begin, end = case["rows"]
        late = begin >= 9000
        name = "eurusd_4h_19100_19280.csv.gz" if late else "eurusd_4h_first9000.csv.gz"
        table, offset = pd.read_csv(folder / name), 19100 if late else 0
        found = ChartPatterns().detect(Market(_eurusd(table)), None)
        spans = {_span(hit, begin) for hit in case["hits"]}
        ours = [row for row, kind in enumerate(found.type) if str(kind) in KINDS[case["kind"]]]
        hit = sum(
            any(_covers(a, b, found.first[row] + offset, found.confirmed[row] + offset) for row in ours)
            for a, b in spans
        )
        note = (
            f"EURUSD, 4 hours, rows {begin} to {end}; {len(spans)} distinct of {len(case['hits'])} reports. "
            "The author's rules ask for no break, and his pivots are highs and lows, ours closes"
        )
        label = f"documented {case['kind'].replace('_', ' ')}"
        yield Row(label, "chart_patterns", "recall", *_share(hit, len(spans)), note=note)


def _span(hit: Mapping[str, object], begin: int) -> tuple[int, int]:
    """Return the first and last pivot of a report."""
    lists = [value for key, value in hit.items() if key.endswith("_idx") and isinstance(value, list)]
    places = [int(place) for each in lists for place in each]
    return begin + min(places), begin + max(places)


def _covers(a: int, b: int, begin: int, end: int) -> bool:
    return bool(min(b, end) - max(a, begin) + 1 >= 0.5 * (b - a + 1))


def _eurusd(table: pd.DataFrame) -> Bars:
    time = pd.to_datetime(table["Date"], format="%d.%m.%Y %H:%M:%S.%f")
    prices = {name.lower(): table[name] for name in ("Open", "High", "Low", "Close", "Volume")}
    return Bars.from_frame(pd.DataFrame({"time": time, "symbol": "EURUSD", **prices}))


def _candles() -> Iterator[Row]:
    """Yield the share of TA-Lib's reports that ours equal, bar by bar and pattern by pattern."""
    for name in ("GOOG", "EURUSD", "S_CAT", "S_MSFT"):
        prices = pd.read_parquet(shared() / f"oracles/indicators/input_{name}.parquet")
        told = pd.read_csv(shared() / f"oracles/patterns/talib_candles_{name}.csv.gz")
        frame = prices[["Open", "High", "Low", "Close"]].reset_index(drop=True).rename(columns=str.lower)
        days = pd.date_range("2000-01-03", periods=len(frame), freq="D")
        frame = frame.assign(time=days, symbol=name, volume=nan)
        found = Candlesticks(patterns=tuple(CANDLES)).detect(Market(Bars.from_frame(frame)), None)
        theirs = set(zip(told["pattern"], told["bar"], told["value"].abs(), strict=True))
        strength = np.rint(found.confidence * 200).astype(int)
        functions = [CANDLES[str(kind)].function for kind in found.type]
        ours = set(zip(functions, found.confirmed.tolist(), strength.tolist(), strict=True))
        value = len(ours & theirs) / len(ours | theirs)
        note = f"{len(theirs):,} reports of 61 patterns in {len(frame):,} bars"
        yield Row(
            f"candlesticks, {name}",
            "candlesticks",
            "equal reports",
            value,
            floor="1",
            met=value == 1,
            note=note,
        )
