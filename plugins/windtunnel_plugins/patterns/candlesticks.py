"""Candlestick patterns."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import numpy as np
from annotated_types import MinLen
from pydantic import field_validator

from windtunnel.errors import nearest
from windtunnel.market import Market
from windtunnel.plugin import PatternDetector, State
from windtunnel.values import FloatArray, IntArray, Patterns

__all__ = ["CANDLES", "Candlesticks"]


class Candle(NamedTuple):
    """A pattern of TA-Lib: its function, how many bars it spans, whether its sign is a direction."""

    function: str
    bars: int
    directed: bool = True


CANDLES = {
    "abandoned_baby": Candle("CDLABANDONEDBABY", 3),
    "advance_block": Candle("CDLADVANCEBLOCK", 3),
    "belt_hold": Candle("CDLBELTHOLD", 1),
    "breakaway": Candle("CDLBREAKAWAY", 5),
    "closing_marubozu": Candle("CDLCLOSINGMARUBOZU", 1),
    "conceal_baby_swallow": Candle("CDLCONCEALBABYSWALL", 4),
    "counterattack": Candle("CDLCOUNTERATTACK", 2),
    "dark_cloud_cover": Candle("CDLDARKCLOUDCOVER", 2),
    "doji": Candle("CDLDOJI", 1, directed=False),
    "doji_star": Candle("CDLDOJISTAR", 2),
    "dragonfly_doji": Candle("CDLDRAGONFLYDOJI", 1, directed=False),
    "engulfing": Candle("CDLENGULFING", 2),
    "evening_doji_star": Candle("CDLEVENINGDOJISTAR", 3),
    "evening_star": Candle("CDLEVENINGSTAR", 3),
    "gap_side_side_white": Candle("CDLGAPSIDESIDEWHITE", 3),
    "gravestone_doji": Candle("CDLGRAVESTONEDOJI", 1, directed=False),
    "hammer": Candle("CDLHAMMER", 1),
    "hanging_man": Candle("CDLHANGINGMAN", 1),
    "harami": Candle("CDLHARAMI", 2),
    "harami_cross": Candle("CDLHARAMICROSS", 2),
    "high_wave": Candle("CDLHIGHWAVE", 1, directed=False),
    "hikkake": Candle("CDLHIKKAKE", 3),
    "hikkake_modified": Candle("CDLHIKKAKEMOD", 4),
    "homing_pigeon": Candle("CDLHOMINGPIGEON", 2),
    "identical_three_crows": Candle("CDLIDENTICAL3CROWS", 3),
    "in_neck": Candle("CDLINNECK", 2),
    "inverted_hammer": Candle("CDLINVERTEDHAMMER", 1),
    "kicking": Candle("CDLKICKING", 2),
    "kicking_by_length": Candle("CDLKICKINGBYLENGTH", 2),
    "ladder_bottom": Candle("CDLLADDERBOTTOM", 5),
    "long_legged_doji": Candle("CDLLONGLEGGEDDOJI", 1, directed=False),
    "long_line": Candle("CDLLONGLINE", 1),
    "marubozu": Candle("CDLMARUBOZU", 1),
    "mat_hold": Candle("CDLMATHOLD", 5),
    "matching_low": Candle("CDLMATCHINGLOW", 2),
    "morning_doji_star": Candle("CDLMORNINGDOJISTAR", 3),
    "morning_star": Candle("CDLMORNINGSTAR", 3),
    "on_neck": Candle("CDLONNECK", 2),
    "piercing": Candle("CDLPIERCING", 2),
    "rickshaw_man": Candle("CDLRICKSHAWMAN", 1, directed=False),
    "rise_fall_three_methods": Candle("CDLRISEFALL3METHODS", 5),
    "separating_lines": Candle("CDLSEPARATINGLINES", 2),
    "shooting_star": Candle("CDLSHOOTINGSTAR", 1),
    "short_line": Candle("CDLSHORTLINE", 1, directed=False),
    "spinning_top": Candle("CDLSPINNINGTOP", 1, directed=False),
    "stalled_pattern": Candle("CDLSTALLEDPATTERN", 3),
    "stick_sandwich": Candle("CDLSTICKSANDWICH", 3),
    "takuri": Candle("CDLTAKURI", 1, directed=False),
    "tasuki_gap": Candle("CDLTASUKIGAP", 3),
    "three_black_crows": Candle("CDL3BLACKCROWS", 3),
    "three_inside": Candle("CDL3INSIDE", 3),
    "three_line_strike": Candle("CDL3LINESTRIKE", 4),
    "three_outside": Candle("CDL3OUTSIDE", 3),
    "three_stars_in_south": Candle("CDL3STARSINSOUTH", 3),
    "three_white_soldiers": Candle("CDL3WHITESOLDIERS", 3),
    "thrusting": Candle("CDLTHRUSTING", 2),
    "tristar": Candle("CDLTRISTAR", 3),
    "two_crows": Candle("CDL2CROWS", 3),
    "unique_three_river": Candle("CDLUNIQUE3RIVER", 3),
    "upside_gap_two_crows": Candle("CDLUPSIDEGAP2CROWS", 3),
    "xside_gap_three_methods": Candle("CDLXSIDEGAP3METHODS", 3),
}
"""The patterns of TA-Lib by name."""

_BY_FUNCTION = {candle.function: name for name, candle in CANDLES.items()}


class Candlesticks(PatternDetector):
    """Finds candlestick patterns by the definitions of TA-Lib.

    Notes
    -----
    A pattern is confirmed at the bar where TA-Lib reports it, its last one. ``direction`` is the sign of
    the report, 0 for patterns that TA-Lib calls neither bullish nor bearish (doji, spinning top, …).
    ``confidence`` is the size of the report over 200: 0.5 as a rule (±100), 0.4 for an engulfing or harami
    that shares one end of the body (±80), 1 for a hikkake that later bars confirm (±200, reported once more
    then). It is no probability. ``stop`` is the lowest low of the pattern's bars if bullish, the highest high
    if bearish; ``target`` is NaN.
    """

    name = "candlesticks"

    patterns: Annotated[tuple[str, ...], MinLen(1)] = (
        "engulfing",
        "hammer",
        "inverted_hammer",
        "hanging_man",
        "shooting_star",
        "morning_star",
        "evening_star",
        "piercing",
        "dark_cloud_cover",
        "harami",
        "three_white_soldiers",
        "three_black_crows",
        "three_inside",
        "three_outside",
    )
    """What to look for, such as ``morning_star``; TA-Lib's own name, such as ``CDLMORNINGSTAR``, will do."""

    @field_validator("patterns")
    @classmethod
    def _known_once(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        names = tuple(_canonical(pattern) for pattern in patterns)
        if len(set(names)) < len(names):
            raise ValueError(f"must name each pattern once (got {', '.join(names)})")
        return names

    @property
    def warmup(self) -> int:
        """At most ten bars of averages before the longest pattern."""
        return 10 + max(CANDLES[name].bars for name in self.patterns)

    def detect(self, market: Market, state: State) -> Patterns:
        """Return every report of the chosen patterns, ordered by bar, then symbol."""
        symbols = range(market.shape[1])
        found = [_find(name, market, symbol) for name in self.patterns for symbol in symbols]
        return Patterns.union(found, len(market.bars))


def _find(name: str, market: Market, symbol: int) -> Patterns:
    """Return the reports of one pattern in one symbol."""
    candle = CANDLES[name]
    own = np.flatnonzero(market.bars.present[:, symbol])
    report = market.candle(candle.function)[own, symbol]
    last = np.flatnonzero(report)
    strength = report[last]
    direction = np.sign(strength) * candle.directed
    span = np.maximum(last[:, None] - np.arange(candle.bars), 0)
    return Patterns(
        symbol=np.full(len(last), symbol, np.int64),
        type=np.full(len(last), name),
        first=own[span[:, -1]],
        confirmed=own[last],
        direction=direction,
        confidence=np.abs(strength) / 200,
        target=np.full(len(last), np.nan),
        stop=_stops(direction, market.high[own, symbol][span], market.low[own, symbol][span]),
        bars=len(market.bars),
    )


def _stops(direction: IntArray, highs: FloatArray, lows: FloatArray) -> FloatArray:
    """Return the far end of each pattern, seen from its direction; ``highs`` and ``lows`` are [n, bars]."""
    far_end = np.where(direction > 0, lows.min(axis=1), highs.max(axis=1))
    return np.where(direction == 0, np.nan, far_end)


def _canonical(pattern: str) -> str:
    name = pattern.lower()
    if name in CANDLES:
        return name
    function = "CDL" + name.removeprefix("cdl").replace("_", "").upper()
    if function in _BY_FUNCTION:
        return _BY_FUNCTION[function]
    hint = nearest(name, CANDLES)
    known = f"; did you mean {hint}?" if hint else f"; known: {', '.join(CANDLES)}"
    raise ValueError(f"{pattern!r} is no pattern of TA-Lib{known}")
