"""What holds for every plugin that ships with Windtunnel."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from annotated_types import Ge, Gt
from pydantic import TypeAdapter

from windtunnel.bars import FIELDS, Bars
from windtunnel.market import Market
from windtunnel.plugin import (
    PatternDetector,
    Plugin,
    RegimeModel,
    Strategy,
    VolatilityModel,
    build_host,
    tuned,
)
from windtunnel.values import Forecast, Orders, Patterns, Regimes
from windtunnel_plugins import windtunnel_register
from windtunnel_plugins.patterns import Candlesticks
from windtunnel_plugins.patterns.candlesticks import CANDLES
from windtunnel_plugins.regimes import TrendVolatility
from windtunnel_plugins.strategies import (
    BollingerRsi,
    BuyAndHold,
    CrossSectionalMomentum,
    Donchian,
    Momentum,
    Recorded,
    SmaCross,
)
from windtunnel_plugins.volatility import Ewma

BY_SYMBOL = [
    SmaCross(fast=3, slow=8),
    SmaCross(fast=3, slow=8, short=True),
    BollingerRsi(window=5, width=1.0, rsi_window=3, oversold=45.0),
    Momentum(window=5, threshold=0.01),
    Donchian(entry=5, exit=3),
    BuyAndHold(),
    Candlesticks(patterns=tuple(CANDLES)),
    TrendVolatility(trend=10, slope=3, volatility=5, lookback=20, dwell=2),
    Ewma(decay=0.8),
]
ACROSS_SYMBOLS = [CrossSectionalMomentum(window=10, top=2, every=7)]
Value = Orders | Patterns | Regimes | Forecast


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """Weights for the bars of ``rough``."""
    rows = [
        "time,A,B,C,D",
        "2015-02-01,1,,0.5,1",
        "2015-07-25,0,0.5,,-1",
        "2015-12-01,,,1,1",
        "2016-01-20,1,0,,",
    ]
    file = tmp_path_factory.mktemp("recorded") / "weights.csv"
    file.write_text("\n".join(rows))
    return Recorded(path=str(file))


@pytest.fixture(scope="session", params=[*BY_SYMBOL, *ACROSS_SYMBOLS, "recorded"], ids=str)
def plugin(request: pytest.FixtureRequest) -> Plugin:
    return request.getfixturevalue("recording") if request.param == "recorded" else request.param


def answer(plugin: Plugin, bars: Bars) -> Value:
    """Ask a plugin on a fresh market, as daily bars of 252 days a year."""
    market = Market(replace(bars, periods_per_year=252.0))
    if isinstance(plugin, Strategy):
        wanted = plugin.exposure(market)
        return wanted if isinstance(wanted, Orders) else Orders(wanted)
    if isinstance(plugin, PatternDetector):
        return plugin.detect(market, plugin.fit(market))
    if isinstance(plugin, RegimeModel):
        return plugin.predict(market, plugin.fit(market))
    assert isinstance(plugin, VolatilityModel)
    return plugin.forecast(market, plugin.fit(market, 5), horizon=5)


def assert_same(one: Value, other: Value) -> None:
    for field in fields(one):
        mine, its = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, dict):
            assert mine.keys() == its.keys()
            mine, its = list(mine.values()), list(its.values())
        np.testing.assert_array_equal(mine, its, err_msg=field.name)


def changed(bars: Bars, change: Callable[[np.ndarray], np.ndarray]) -> Bars:
    values = (change(getattr(bars, name).copy("F")) for name in FIELDS)
    return Bars(bars.time, bars.symbols, *values, bars.last_bar)


@pytest.mark.parametrize("stop", [1, 2, 37, 131, 214, 333])
def test_no_plugin_sees_the_future_by_truncation(plugin: Plugin, rough: Bars, stop: int) -> None:
    whole = answer(plugin, rough)
    assert_same(answer(plugin, rough.cut(0, stop)), whole.cut(0, stop))


@pytest.mark.parametrize("factor", [0.5, 2.0])
@pytest.mark.parametrize("stop", [40, 131, 214, 333])
def test_no_plugin_sees_the_future_by_perturbation(
    plugin: Plugin, rough: Bars, stop: int, factor: float
) -> None:
    whole = answer(plugin, rough)
    rewritten = changed(rough, lambda field: np.vstack((field[:stop], field[stop:] * factor)))
    assert_same(answer(plugin, rewritten).cut(0, stop), whole.cut(0, stop))


def test_a_plugin_says_something(plugin: Plugin, rough: Bars) -> None:
    value = answer(plugin, rough)
    if isinstance(value, Patterns):
        assert len(value) > 100
        return
    first = value.probabilities if isinstance(value, Regimes) else getattr(value, fields(value)[0].name)
    assert len(np.unique(first[~np.isnan(first.astype(float))])) > 1


def test_a_plugin_says_the_same_twice(plugin: Plugin, rough: Bars) -> None:
    assert_same(answer(plugin, rough), answer(plugin, rough))


@pytest.mark.parametrize("plugin", BY_SYMBOL, ids=str)
@pytest.mark.parametrize("column", range(4))
def test_a_gap_changes_nothing_on_the_bars_that_there_are(plugin: Plugin, rough: Bars, column: int) -> None:
    gappy = rough.select([rough.symbols[column]])
    own = np.flatnonzero(gappy.present[:, 0])
    whole = changed(gappy, lambda field: field)
    closed = Bars(
        rough.time[: len(own)],
        whole.symbols,
        *(np.asfortranarray(getattr(whole, name)[own]) for name in FIELDS),
        np.array([len(own) - 1]),
    )
    with_gaps, without = answer(plugin, gappy), answer(plugin, closed)
    if isinstance(with_gaps, Patterns) and isinstance(without, Patterns):
        np.testing.assert_array_equal(with_gaps.confirmed, own[without.confirmed])
        np.testing.assert_array_equal(with_gaps.first, own[without.first])
        np.testing.assert_array_equal(with_gaps.stop, without.stop)
        return
    for field in fields(with_gaps):
        there, closed_up = getattr(with_gaps, field.name), getattr(without, field.name)
        if isinstance(there, np.ndarray):
            np.testing.assert_array_equal(there[own], closed_up, err_msg=field.name)


@pytest.mark.parametrize("plugin", [*BY_SYMBOL, *ACROSS_SYMBOLS], ids=str)
@pytest.mark.parametrize("rows", [1, 2, 3, 9])
def test_short_data_are_no_error(plugin: Plugin, rows: int, panel: Callable[..., Bars]) -> None:
    bars = panel(np.linspace(10, 11, rows * 2).reshape(rows, 2))
    value = answer(plugin, bars)
    if isinstance(value, Patterns):
        assert value.bars == rows
    else:
        first = value.exposure if isinstance(value, Orders) else getattr(value, "mean", None)
        array = value.probabilities[..., 0] if isinstance(value, Regimes) else first
        assert array.shape == (rows, 2)


@pytest.mark.parametrize("plugin", [*BY_SYMBOL, *ACROSS_SYMBOLS], ids=str)
def test_constant_prices_are_no_error(plugin: Plugin, panel: Callable[..., Bars]) -> None:
    value = answer(plugin, panel(np.full((60, 3), 7.0)))
    if isinstance(value, Orders):
        held = np.nan_to_num(value.exposure.astype(float))
        if isinstance(plugin, BuyAndHold):
            assert (held == 1).all()
        elif isinstance(plugin, CrossSectionalMomentum):
            np.testing.assert_array_equal(held[10], [0.5, 0.5, 0])
        else:
            assert not held.any()
    elif isinstance(value, Regimes):
        assert (value.codes[plugin.warmup :] == value.names.index("ranging")).all()
    elif isinstance(value, Forecast):
        assert (value.high[plugin.warmup :] == 0).all()
    else:
        assert not value.direction.any()


@pytest.mark.parametrize(
    "plugin",
    [
        *(plugin for plugin in BY_SYMBOL if not isinstance(plugin, (Candlesticks, BuyAndHold))),
        *ACROSS_SYMBOLS,
        SmaCross(),
        BollingerRsi(width=1.0, rsi_window=40, oversold=48.0),
        TrendVolatility(trend=30, slope=5, volatility=3, lookback=4, dwell=1),
    ],
    ids=str,
)
def test_warmup_is_where_a_plugin_starts_to_speak(plugin: Plugin, panel: Callable[..., Bars]) -> None:
    """Extremes before the end of the warm-up change nothing; the bar after it is the first that matters."""
    random = np.random.default_rng(3)
    rows = plugin.warmup + 1
    seen = set()
    for _ in range(60):
        bars = panel(100 * np.exp(np.cumsum(random.normal(0, 0.05, (rows, 3)), axis=0)))
        value = answer(plugin, bars)
        array = value.exposure if isinstance(value, Orders) else getattr(value, "mean", None)
        if isinstance(value, Regimes):
            array = value.probabilities
        early, last = array[:-1].astype(float), array[-1].astype(float)
        assert not np.nan_to_num(early).any()
        seen.add(bool(np.nan_to_num(last).any()))
    assert True in seen


def registered() -> list[type[Plugin]]:
    return list(windtunnel_register())


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "strategy",
            "bollinger_rsi buy_and_hold cross_sectional_momentum donchian momentum recommended recorded "
            "sma_cross",
        ),
        ("patterns", "candlesticks chart_patterns gaps level_breaks"),
        ("regime", "bear_market change_points gaussian_mixture hidden_markov kmeans trend_volatility"),
        ("scorer", "boosting forest logistic"),
        ("volatility", "ensemble ewma forest garch gjr_garch har"),
        ("optimize", "cmaes gp grid nsga2 random sobol tpe"),
        ("data", "arch bokeh csv frame parquet sql synthetic"),
    ],
)
def test_the_host_finds_every_plugin_under_its_kind(kind: str, names: str) -> None:
    host = build_host()
    assert "windtunnel" not in {broken.package for broken in host.broken}
    assert set(names.split()) <= set(host.names(kind))


@pytest.mark.parametrize("kind", registered(), ids=lambda kind: f"{kind.kind}-{kind.name}")
class TestEveryPlugin:
    def test_is_one_file_named_after_it(self, kind: type[Plugin]) -> None:
        assert kind.__module__.rpartition(".")[2] == kind.name
        assert kind.__name__.lower() == kind.name.replace("_", "")

    def test_starts_its_description_with_a_sentence(self, kind: type[Plugin]) -> None:
        assert kind.__doc__
        assert kind.__doc__.splitlines()[0].endswith(".")

    def test_describes_every_field(self, kind: type[Plugin]) -> None:
        for name, field in kind.model_fields.items():
            assert field.description, name

    def test_bounds_every_number_that_it_decides_by(self, kind: type[Plugin]) -> None:
        for name, field in kind.model_fields.items():
            if field.annotation in (int, float) and kind.kind != "data":
                assert any(isinstance(rule, (Ge, Gt)) for rule in field.metadata), name

    def test_searches_within_the_bounds(self, kind: type[Plugin]) -> None:
        for name, tune in tuned(kind).items():
            field = kind.model_fields[name]
            legal = TypeAdapter(Annotated[(field.annotation, *field.metadata)])
            for end in (tune.low, tune.high):
                legal.validate_python(end)

    def test_comes_back_from_its_parameters(self, kind: type[Plugin]) -> None:
        example = kind.example()
        if kind.name != "frame":  # which comes from Python alone
            assert kind.from_params(example.params(), host=build_host()) == example
        assert example.warmup >= 0


def test_importing_the_plugins_is_cheap() -> None:
    heavy = [
        "pandas",
        "sklearn",
        "talib",
        "arch",
        "numba",
        "scipy",
        "pyarrow",
        "bokeh_sampledata",
        "sqlalchemy",
        "optuna",
        "torch",
    ]
    program = f"""
import sys, time
from windtunnel.plugin import hookimpl
start = time.perf_counter()
import windtunnel_plugins
windtunnel_plugins.windtunnel_register()
print(time.perf_counter() - start)
print(*(name for name in {heavy} if name in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    seconds, loaded = done.stdout.split("\n")[:2]
    assert loaded == ""
    assert float(seconds) < 1.0


def test_the_example_of_recorded_is_shipped() -> None:
    assert Path(Recorded.example().path).is_file()
