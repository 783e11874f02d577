"""Chart patterns, level breaks and gaps: by hand, on shapes drawn almost without noise, and properties."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel.plugin import PatternDetector
from windtunnel.values import FloatArray, Patterns
from windtunnel_plugins.patterns import ChartPatterns, Gaps, LevelBreaks
from windtunnel_plugins.patterns._pivots import typical_move, upside_down, zigzag
from windtunnel_plugins.patterns._rules import TYPES, through
from windtunnel_plugins.sources._shapes import SHAPES, increments

Panel = Callable[..., Bars]
DETECTORS = (ChartPatterns(clear=0.0), LevelBreaks(touches=2, scale=1.2), Gaps(least=0.05))
QUIET = 40
"""Bars before a shape."""


def detect(detector: PatternDetector, bars: Bars) -> Patterns:
    found = detector.detect(Market(bars), None)
    found.check(bars.shape)
    return found


def quiet(count: int) -> FloatArray:
    """Log returns that swing by one per cent and back."""
    return np.where(np.arange(count) % 2, -0.01, 0.01)


def drawn(legs: list[tuple[int, float]]) -> FloatArray:
    """Closes: 40 quiet bars at 100, then straight legs in logs, each of so many bars to such a level."""
    logs = np.cumsum(np.concatenate(([0.0], quiet(QUIET - 1))))
    logs -= logs[-1]
    for bars, level in legs:
        logs = np.concatenate((logs, np.linspace(logs[-1], level, bars + 1)[1:]))
    return 100 * np.exp(logs)


# Pivots


def test_pivots_by_hand() -> None:
    logs = np.array([0.0, 1.0, 3.0, 2.5, 1.9, 2.2, 1.0, 1.9, 2.1, 5.0, 4.5])
    found = zigzag(logs, np.ones(11))
    assert found == [(0, 1, 0.0, -1), (2, 4, 3.0, 1), (6, 8, 1.0, -1)]


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_nothing_turns_where_nothing_is_typical(nothing: float) -> None:
    assert zigzag(np.array([0.0, 5.0, 0.0, 5.0]), np.full(4, nothing)) == []


walks = st.lists(st.floats(-1, 1, width=16), min_size=2, max_size=80).map(lambda steps: np.cumsum(steps))


@given(logs=walks, turn=st.floats(0.3, 3))
def test_pivots_alternate_are_extreme_and_known_late(logs: FloatArray, turn: float) -> None:
    found = zigzag(logs, np.full(len(logs), turn))
    for one, other in pairwise(found):
        assert one.side == -other.side
        assert one.bar < other.bar
        assert one.known <= other.known
        between = logs[one.bar : other.bar + 1]
        assert other.price * other.side == max(between * other.side)
        assert one.price * one.side == max(between * one.side)
    for pivot in found:
        assert pivot.price == logs[pivot.bar]
        back = (pivot.price - logs[pivot.bar : pivot.known + 1]) * pivot.side
        assert back[-1] >= turn > max(back[:-1], default=0.0)


@given(logs=walks, cut=st.integers(1, 80))
def test_later_prices_change_no_pivot(logs: FloatArray, cut: int) -> None:
    turn = np.ones(len(logs))
    known = [pivot for pivot in zigzag(logs, turn) if pivot.known < cut]
    assert zigzag(logs[:cut], turn[:cut]) == known


@given(logs=walks)
def test_pivots_mirror(logs: FloatArray) -> None:
    """But for the first, where nothing tells a high from a low before price has moved."""
    turn = np.ones(len(logs))
    assert zigzag(-logs, turn)[1:] == upside_down(zigzag(logs, turn))[1:]


def test_typical_move_by_hand() -> None:
    found = typical_move(np.array([0.0, 1.0, -1.0, -1.0]), 2)
    np.testing.assert_allclose(found, [np.nan, np.nan, 1.5 * np.sqrt(np.pi / 2), np.sqrt(np.pi / 2)])


def test_a_line_of_least_squares_by_hand() -> None:
    pivots = zigzag(np.array([0.0, 3.0, 0.0, 6.0, 0.0, 3.0, 0.0]), np.ones(7))
    line = through([pivot for pivot in pivots if pivot.side > 0])
    assert (line.level, line.slope) == (4.0, 0.0)


# Chart patterns


@pytest.mark.parametrize("name", SHAPES)
def test_finds_each_shape(name: str, panel: Panel) -> None:
    way = SHAPES[name][0]
    steps = np.concatenate(([0.0], quiet(QUIET - 1), 0.4 * increments(name, 50), quiet(20)))
    close = 100 * np.exp(np.cumsum(steps))
    found = detect(ChartPatterns(), panel(close))
    span = QUIET - 1, QUIET + 48
    overlap = np.minimum(found.confirmed, span[1]) - np.maximum(found.first, span[0]) + 1
    hits = np.flatnonzero((found.type == name) & (overlap >= 0.5 * 50))
    assert len(hits)
    at = hits[0]
    assert found.direction[at] == way
    price = close[found.confirmed[at]]
    assert way * (found.target[at] - price) > 0 > way * (found.stop[at] - price)
    assert way * (price - found.neckline[at]) > 0
    assert 0 < found.confidence[at] <= 1


def test_a_double_top_by_hand(panel: Panel) -> None:
    close = drawn([(10, 0.3), (10, 0.1), (10, 0.3), (12, 0.0)])
    found = detect(ChartPatterns(patterns=("double_top",), scales=(4.0,)), panel(close))
    assert len(found) == 1
    start = QUIET - 1
    assert found.first[0] == start + 3, "a third of the rise lies below the neckline"
    assert found.confirmed[0] == start + 39, "the ninth bar of the last leg is the first below it"
    got = found.neckline[0], found.target[0], found.stop[0]
    np.testing.assert_allclose(got, 100 * np.exp([0.1, -0.1, 0.3]))
    assert (found.direction[0], found.symbol[0], found.bars) == (-1, 0, len(close))
    assert found.confidence[0] == 1.0


def test_a_head_and_shoulders_by_hand(panel: Panel) -> None:
    legs = [(8, 0.2), (6, 0.1), (8, 0.4), (8, 0.1), (6, 0.2), (12, -0.1)]
    found = detect(ChartPatterns(patterns=("head_and_shoulders",), scales=(2.0,)), panel(drawn(legs)))
    assert found.type.tolist() == ["head_and_shoulders"]
    start = QUIET - 1
    assert (found.first[0], found.confirmed[0]) == (start + 4, start + 41)
    got = found.neckline[0], found.target[0], found.stop[0]
    np.testing.assert_allclose(got, 100 * np.exp([0.1, -0.2, 0.4]))


def test_a_flag_stands_on_the_end_of_its_pole(panel: Panel) -> None:
    close = drawn([(12, 0.4), (10, 0.24), (10, 0.5)])
    found = detect(ChartPatterns(patterns=("bull_flag",), scales=(4.0,)), panel(close))
    assert found.type.tolist() == ["bull_flag"]
    got = found.neckline[0], found.target[0], found.stop[0]
    base = np.log(close[: QUIET + 1].min() / 100)
    np.testing.assert_allclose(got, 100 * np.exp([0.4, 0.4 + (0.4 - base), 0.24]))


@pytest.mark.parametrize(
    ("legs", "name"),
    [
        ([(10, 0.3), (9, 0.05), (8, 0.25), (7, 0.1), (6, 0.21), (12, -0.1)], "symmetric_triangle"),
        ([(10, 0.3), (10, 0.1), (10, 0.3), (10, 0.1), (10, 0.3), (12, -0.1)], "channel"),
    ],
)
def test_shapes_that_the_source_does_not_plant(
    legs: list[tuple[int, float]], name: str, panel: Panel
) -> None:
    found = detect(ChartPatterns(patterns=(name,)), panel(drawn(legs)))
    bears = found.take(found.direction < 0)
    assert len(bears)
    assert bears.confirmed[0] > QUIET + 30
    upwards = detect(ChartPatterns(patterns=(name,)), panel(1e4 / drawn(legs)))
    assert (upwards.direction > 0).any()


def test_a_close_beyond_the_stop_voids_the_pattern(panel: Panel) -> None:
    legs = [(10, 0.3), (10, 0.1), (10, 0.3), (5, 0.2), (5, 0.35), (14, 0.0)]
    detector = ChartPatterns(patterns=("double_top",), scales=(4.0,))
    assert len(detect(detector, panel(drawn([*legs[:3], (12, 0.0)])))) == 1
    found = detect(detector, panel(drawn(legs)))
    assert all(found.stop >= 100 * np.exp(0.35) * (1 - 1e-9))


def test_a_pattern_that_waits_too_long_is_none(panel: Panel) -> None:
    legs = [(10, 0.3), (10, 0.1), (10, 0.3)]
    detector = ChartPatterns(patterns=("double_top",), scales=(4.0,))
    for wait, count in ((10, 1), (80, 0)):
        close = drawn([*legs, (5, 0.2), (wait, 0.15), (10, 0.0)])
        assert len(detect(detector, panel(close))) == count


def walk(seed: int, bars: int = 400) -> FloatArray:
    return 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.01, bars)))


@pytest.mark.parametrize("name", sorted({*TYPES, *TYPES.values()}))
def test_finds_only_what_it_is_asked_for(name: str, panel: Panel) -> None:
    bars = panel(np.column_stack([walk(seed) for seed in range(3)]))
    everything = detect(ChartPatterns(), bars)
    one = detect(ChartPatterns(patterns=(name,)), bars)
    assert set(one.type) == {name}
    same = everything.take(everything.type == name)
    np.testing.assert_array_equal(one.confirmed, same.confirmed)


def test_the_mirror_of_a_price_has_the_mirrors_of_its_patterns(panel: Panel) -> None:
    close = walk(5)
    mirrors = {**TYPES, **{mirror: name for name, mirror in TYPES.items()}}
    found, turned = (detect(ChartPatterns(), panel(prices)) for prices in (close, 1e4 / close))
    seen = sorted(zip(found.confirmed, found.first, found.direction, found.type, strict=True))
    other = sorted(
        (bar, first, -way, mirrors[str(name)])
        for bar, first, way, name in zip(
            turned.confirmed, turned.first, turned.direction, turned.type, strict=True
        )
    )
    assert len(seen) > 20
    assert seen == other


def test_stricter_settings_find_less(panel: Panel) -> None:
    bars = panel(walk(3, 1000))
    loose = len(detect(ChartPatterns(), bars))
    for stricter in ({"clear": 2.5}, {"tolerance": 0.2}, {"longest": 40}, {"shortest": 30}, {"overlap": 0.2}):
        assert len(detect(ChartPatterns(**stricter), bars)) < loose


def test_patterns_of_a_type_do_not_cover_each_other(panel: Panel) -> None:
    found = detect(ChartPatterns(overlap=0.5), panel(walk(3, 1000)))
    for kind in set(zip(found.type.tolist(), found.direction.tolist(), strict=True)):
        rows = np.flatnonzero((found.type == kind[0]) & (found.direction == kind[1]))
        first, last = found.first[rows], found.confirmed[rows]
        common = np.minimum.outer(last, last) - np.maximum.outer(first, first) + 1
        longer = np.maximum.outer(last - first, last - first) + 1
        assert (np.triu(common / longer, 1) <= 0.5).all()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"patterns": ("double_topp",)}, "'double_topp' is no chart pattern; did you mean double_top"),
        ({"patterns": ("zzzzz",)}, "known: double_top, "),
        ({"patterns": ("channel", "channel")}, "must name each pattern once"),
        ({"shortest": 90, "longest": 50}, r"must be at most longest \(50\)"),
        ({"scales": ()}, "at least 1 item"),
        ({"scales": (0.0,)}, "greater than 0"),
    ],
)
def test_refuses_what_makes_no_sense(params: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ChartPatterns(**params)  # type: ignore[arg-type]


# Gaps and levels


def test_a_gap_by_hand(panel: Panel) -> None:
    close = np.full(20, 100.0)
    high, low = close + 1, close - 1
    close[17:], high[17:], low[17:] = 105.0, 106.0, 104.0
    found = detect(Gaps(), panel(close, open=close, high=high, low=low))
    assert found.type.tolist() == ["gap_up"]
    assert (found.first[0], found.confirmed[0], found.direction[0]) == (16, 17, 1)
    assert (found.stop[0], found.target[0], found.neckline[0]) == (101.0, 105 * 104 / 101, 101.0)
    assert found.confidence[0] == pytest.approx(3 / (3 + 2))
    assert len(detect(Gaps(least=1.6), panel(close, open=close, high=high, low=low))) == 0


def test_a_gap_down_by_hand(panel: Panel) -> None:
    close = np.full(20, 100.0)
    close[17:] = 95.0
    found = detect(Gaps(), panel(close, open=close, high=close + 1, low=close - 1))
    assert found.type.tolist() == ["gap_down"]
    assert (found.stop[0], found.target[0]) == (99.0, 95 * 96 / 99)


def test_a_resistance_breaks_by_hand(panel: Panel) -> None:
    close = drawn([(8, 0.2), (8, 0.05), (8, 0.2), (8, 0.08), (8, 0.2), (8, 0.1), (12, 0.4)])
    found = detect(LevelBreaks(scale=3.0, band=1.0), panel(close))
    assert found.type.tolist() == ["resistance_break"]
    assert found.first[0] == QUIET - 1 + 8
    assert found.confirmed[0] == QUIET - 1 + 48 + 5, "the last leg rises by 1/40 a bar from 0.1"
    got = found.neckline[0], found.target[0], found.stop[0]
    np.testing.assert_allclose(got, 100 * np.exp([0.2, 0.35, 0.05]))
    assert found.confidence[0] == pytest.approx((3 / 5) ** 0.5)
    assert len(detect(LevelBreaks(scale=3.0, band=1.0, touches=4), panel(close))) == 0
    assert len(detect(LevelBreaks(scale=3.0, band=1.0, memory=20), panel(close))) == 0


# All of them


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
def test_later_bars_change_nothing(detector: PatternDetector, rough: Bars) -> None:
    whole = detect(detector, rough)
    assert len(whole) > 10
    assert (whole.confirmed >= detector.warmup).all()
    for stop in (30, 150, 211, 333, 399):
        cut = detect(detector, rough.cut(0, stop))
        expected = whole.take(whole.confirmed < stop)
        for name in ("symbol", "type", "first", "confirmed", "direction", "confidence", "target", "stop"):
            np.testing.assert_array_equal(getattr(cut, name), getattr(expected, name), err_msg=name)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
def test_a_gap_in_the_bars_changes_nothing_on_the_others(
    detector: PatternDetector, rough: Bars, panel: Panel
) -> None:
    own = np.flatnonzero(rough.present[:, 1])
    fields = {name: getattr(rough, name)[own, 1] for name in ("open", "high", "low", "close")}
    close = fields.pop("close")
    dense = detect(detector, panel(close, **fields))
    found = detect(detector, rough)
    sparse = found.take(found.symbol == 1)
    assert len(own) < len(rough)
    assert len(dense) > 2
    np.testing.assert_array_equal(own[dense.confirmed], sparse.confirmed)
    np.testing.assert_array_equal(own[dense.first], sparse.first)
    np.testing.assert_array_equal(dense.target, sparse.target)


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
@pytest.mark.parametrize(
    "close",
    [np.full(200, 50.0), np.full(200, np.nan), np.array([50.0]), np.array([50.0, 51.0]), walk(1, 15)],
    ids=["constant", "no bar", "one bar", "two bars", "few bars"],
)
def test_finds_nothing_where_there_is_nothing(
    detector: PatternDetector, close: FloatArray, panel: Panel
) -> None:
    found = detect(detector, panel(close))
    assert (len(found), found.bars) == (0, len(close))


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
def test_prices_that_stand_still_for_long_do_no_harm(detector: PatternDetector, panel: Panel) -> None:
    close = np.concatenate((walk(1, 150), np.full(100, 90.0), walk(2, 150)))
    found = detect(detector, panel(close))
    assert np.isfinite(found.target).all()
    assert ((found.confidence >= 0) & (found.confidence <= 1)).all()


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda d: d.name)
def test_levels_stand_on_their_sides(detector: PatternDetector, panel: Panel) -> None:
    close = np.column_stack([walk(seed) for seed in range(4)])
    open_ = np.vstack((close[:1], close[:-1])) * np.exp(np.random.default_rng(1).normal(0, 0.01, close.shape))
    high, low = np.maximum(open_, close), np.minimum(open_, close)
    bars = panel(close, open=open_, high=high, low=low)
    found = detect(detector, bars)
    assert len(found) > 10
    price, way = close[found.confirmed, found.symbol], found.direction
    assert (way * (price - found.neckline) > 0).all()
    assert (way * (price - found.stop) > 0).all()
    assert (way * (found.target - found.neckline) > 0).all()


def test_symbols_do_not_disturb_each_other(rough: Bars) -> None:
    detector = ChartPatterns()
    found = detect(detector, rough)
    for column, symbol in enumerate(rough.symbols):
        alone = detect(detector, rough.select([symbol]))
        ours = found.take(found.symbol == column)
        np.testing.assert_array_equal(alone.confirmed, ours.confirmed)
        np.testing.assert_array_equal(alone.stop, ours.stop)
