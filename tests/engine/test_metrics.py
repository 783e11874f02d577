"""The metrics against hand-computed bars, properties, and what other programs computed."""

from __future__ import annotations

import inspect
import json
import math
import re
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from windtunnel.bars import Bars
from windtunnel.engine.metrics import METRICS, Performance, compute
from windtunnel.engine.metrics import returns as of_returns
from windtunnel.engine.metrics import trades as of_trades
from windtunnel.engine.metrics.returns import (
    alpha,
    beta,
    cagr,
    calmar,
    cvar,
    deviation,
    drawdown,
    kurtosis,
    max_drawdown,
    max_drawdown_bars,
    sharpe,
    skew,
    sortino,
    tail_ratio,
    total_return,
    value_at_risk,
    volatility,
)
from windtunnel.engine.metrics.trades import (
    expectancy,
    fees,
    profit_factor,
    time_invested,
    trade_count,
    turnover,
    win_rate,
)
from windtunnel.engine.simulation import Fills, Simulation
from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray, Metric, Rules

KEYS = (
    "total_return cagr volatility sharpe sortino calmar max_drawdown max_drawdown_bars time_invested turnover "
    "trades win_rate profit_factor expectancy fees var_95 cvar_95 skew kurtosis tail_ratio alpha beta"
).split()
CASH = 100.0
EQUITY = np.array([125.0, 100.0, 80.0, 80.0, 100.0, 150.0, 135.0])
RETURNS = np.array([0.25, -0.2, -0.2, 0.0, 0.25, 0.5, -0.1])
BENCHMARK = np.array([0.1, -0.1, 0.0, 0.0, 0.0, 0.1, -0.1])
PNL = np.array([30.0, -10.0, 0.0, 20.0, -5.0])

returns_strategy = arrays(np.float64, st.integers(5, 60), elements=st.floats(-0.4, 0.4, width=32))


def simulation(equity: FloatArray = EQUITY, fills: FloatArray | None = None) -> Simulation:
    """One symbol whose close is the equity; the fills need not fit to it."""
    bars = Bars.from_arrays(np.arange("2020-01-01", "2020-01-08", dtype="datetime64[D]"), EQUITY)
    rows = np.empty((0, 8)) if fills is None else fills
    held = np.where(np.arange(len(equity)) == 4, 0.0, equity)
    return Simulation(bars.cut(0, len(equity)), Rules(cash=CASH), equity, equity - held, held, Fills.of(rows))


def round_trips() -> FloatArray:
    """Bought at 100, sold at 150 and bought again, all with a fee; the second is still open at 135."""
    bought = [0, 0, 1.0, 100.0, 1.0, 0.0, 1.0, 0]
    sold = [5, 0, -1.0, 150.0, 2.0, 0.0, 0.0, 0]
    again = [5, 0, 1.0, 150.0, 3.0, 0.0, 1.0, 0]
    return np.array([bought, sold, again])


def test_seven_bars_of_returns() -> None:
    mean, squares = 0.5 / 7, 0.465
    spread = math.sqrt((squares - 7 * mean**2) / 6)
    assert deviation(RETURNS) == pytest.approx(spread, rel=1e-14)
    assert volatility(RETURNS, 4) == pytest.approx(2 * spread, rel=1e-14)
    assert sharpe(RETURNS, 4) == pytest.approx(2 * mean / spread, rel=1e-14)
    assert sortino(RETURNS, 4) == pytest.approx(2 * mean / math.sqrt(0.09 / 7), rel=1e-14)
    assert value_at_risk(RETURNS) == -0.2
    assert value_at_risk(RETURNS, 0.25) == pytest.approx(-0.15, rel=1e-14)
    assert cvar(RETURNS) == -0.2
    assert cvar(RETURNS, 0.4) == pytest.approx(-0.5 / 3, rel=1e-14)
    assert tail_ratio(RETURNS) == pytest.approx((0.25 + 0.7 * 0.25) / 0.2, rel=1e-14)
    assert beta(RETURNS, BENCHMARK) == pytest.approx(0.105 / 0.04, rel=1e-14)
    assert alpha(RETURNS, BENCHMARK, 4) == pytest.approx((1 + mean) ** 4 - 1, rel=1e-14)


def test_seven_bars_of_equity() -> None:
    assert total_return(EQUITY, CASH) == pytest.approx(0.35, rel=1e-14)
    assert cagr(EQUITY, CASH, 4) == pytest.approx(1.35 ** (4 / 7) - 1, rel=1e-13)
    assert drawdown(EQUITY, CASH) == pytest.approx([0, -0.2, -0.36, -0.36, -0.2, 0, -0.1], abs=1e-15)
    assert max_drawdown(EQUITY, CASH) == pytest.approx(-0.36, rel=1e-14)
    assert calmar(EQUITY, CASH, 4) == pytest.approx((1.35 ** (4 / 7) - 1) / 0.36, rel=1e-13)
    assert max_drawdown_bars(EQUITY, CASH) == 5, "from the peak at bar 0 until it is passed at bar 5"


def test_skewness_and_kurtosis_by_hand() -> None:
    one_gain = np.array([-0.01] * 6 + [0.06])
    assert skew(one_gain) == pytest.approx(math.sqrt(7), rel=1e-13)
    assert kurtosis(one_gain) == pytest.approx(7, rel=1e-13)
    four = np.array([0.0, 0.0, 0.0, 0.04])
    assert skew(four) == pytest.approx(2, rel=1e-13)
    assert kurtosis(four) == pytest.approx(4, rel=1e-13)


@pytest.mark.parametrize(
    ("equity", "bars"),
    [
        ([100, 100, 100, 100, 100, 100, 100], 0),
        ([101, 102, 103, 104, 105, 106, 107], 0),
        ([90, 95, 99, 100, 101, 102, 103], 4),
        ([90, 80, 70, 60, 50, 40, 30], 7),
        ([110, 110, 105, 110, 100, 90, 80], 3),
        ([110, 109, 110, 109, 108, 107, 110], 4),
    ],
    ids=[
        "flat",
        "rising",
        "starting cash is a peak",
        "never recovers",
        "a plateau ends late",
        "second longer",
    ],
)
def test_longest_drawdown(equity: list[int], bars: int) -> None:
    assert max_drawdown_bars(np.array(equity, dtype=float), CASH) == bars


def test_seven_bars_of_trades() -> None:
    assert time_invested(np.array([0.0, 5.0, 5.0, 0.0, 0.0, 5.0, 5.0])) == 4 / 7
    units, price = np.array([1.0, -1.0]), np.array([100.0, 120.0])
    assert turnover(units, price, EQUITY, 4) == pytest.approx(220 / 110 * 4 / 7, rel=1e-14)
    assert trade_count(PNL) == 5
    assert win_rate(PNL) == 0.4
    assert profit_factor(PNL) == pytest.approx(50 / 15, rel=1e-14)
    assert expectancy(PNL) == 7.0
    assert fees(np.array([1.5, 2.0])) == 3.5


def test_the_table_reads_each_figure_from_its_place() -> None:
    figures = compute(Performance(simulation(fills=round_trips()), 4, BENCHMARK))
    assert list(figures) == KEYS
    expected = {
        "total_return": total_return(EQUITY, CASH),
        "cagr": cagr(EQUITY, CASH, 4),
        "volatility": volatility(RETURNS, 4),
        "sharpe": sharpe(RETURNS, 4),
        "sortino": sortino(RETURNS, 4),
        "calmar": calmar(EQUITY, CASH, 4),
        "max_drawdown": -0.36,
        "max_drawdown_bars": 5,
        "time_invested": 6 / 7,
        "turnover": 400 / 110 * 4 / 7,
        "trades": 2,
        "win_rate": 0.5,
        "profit_factor": 47 / 18,
        "expectancy": 14.5,
        "fees": 6.0,
        "var_95": -0.2,
        "cvar_95": -0.2,
        "skew": skew(RETURNS),
        "kurtosis": kurtosis(RETURNS),
        "tail_ratio": 2.125,
        "alpha": alpha(RETURNS, BENCHMARK, 4),
        "beta": 2.625,
    }
    assert figures == pytest.approx(expected, rel=1e-12)


def test_the_table_holds_plain_numbers_that_json_can_write() -> None:
    figures = compute(Performance(simulation(fills=round_trips()), 4, BENCHMARK))
    assert {name for name, value in figures.items() if type(value) is int} == {"max_drawdown_bars", "trades"}
    assert all(type(value) in (int, float) for value in figures.values())
    assert json.loads(json.dumps(figures, allow_nan=False)) == figures


def test_extra_metrics_follow_and_may_not_take_a_name() -> None:
    performance = Performance(simulation(), 4)
    last = Metric("last", "Last", lambda p: np.float32(p.equity[-1]), True, "currency")
    endless = Metric("endless", "Endless", lambda p: math.inf, None, "ratio")
    figures = compute(performance, [last, endless])
    assert list(figures) == [*KEYS, "last", "endless"]
    assert figures["last"] == 135.0
    assert type(figures["last"]) is float
    assert math.isnan(figures["endless"])
    with pytest.raises(InvalidValueError, match=r"metric: must have a name .* 'sharpe'"):
        compute(performance, [Metric("sharpe", "Mine", lambda p: 1.0, True, "ratio")])


@pytest.mark.parametrize("periods", [0.0, -252.0, math.nan, math.inf])
def test_periods_per_year_must_be_positive(periods: float) -> None:
    with pytest.raises(InvalidValueError, match="periods_per_year"):
        Performance(simulation(), periods)


def test_a_benchmark_must_have_a_finite_return_for_each_bar() -> None:
    with pytest.raises(InvalidValueError, match=r"benchmark: must have the shape \(7,\)"):
        Performance(simulation(), 4, BENCHMARK[1:])
    with pytest.raises(InvalidValueError, match=r"benchmark\[2\]: must be finite"):
        Performance(simulation(), 4, np.where(np.arange(7) == 2, np.nan, BENCHMARK))


def test_an_account_that_never_traded() -> None:
    figures = compute(Performance(simulation(np.full(7, CASH)), 4, BENCHMARK))
    zero = {"total_return", "cagr", "volatility", "max_drawdown", "max_drawdown_bars", "turnover", "trades"}
    zero |= {"fees", "var_95", "cvar_95", "alpha", "beta"}
    assert {name for name, value in figures.items() if value == 0} == zero
    undefined = set(KEYS) - zero - {"time_invested"}
    assert {name for name, value in figures.items() if math.isnan(value)} == undefined


def test_without_a_benchmark_alpha_and_beta_are_undefined() -> None:
    figures = compute(Performance(simulation(), 4))
    assert math.isnan(figures["alpha"])
    assert math.isnan(figures["beta"])


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_too_few_bars_are_undefined_not_an_error(count: int) -> None:
    figures = compute(Performance(simulation(EQUITY[:count]), 4, BENCHMARK[:count]))
    undefined = {name for name, value in figures.items() if math.isnan(value)}
    least = dict.fromkeys(["total_return", "cagr", "max_drawdown", "var_95", "cvar_95", "turnover"], 1)
    least |= dict.fromkeys(["time_invested", "tail_ratio"], 1)
    least |= dict.fromkeys(["volatility", "sharpe", "sortino", "calmar", "alpha", "beta"], 2)
    least |= {"skew": 3, "kurtosis": 4}
    always = {"win_rate", "profit_factor", "expectancy"}
    assert undefined == always | {name for name, bars in least.items() if count < bars}


def test_ratios_over_rounding_noise_are_undefined() -> None:
    growth = 100 * 1.001 ** np.arange(1, 8)
    steady = growth / np.append(100, growth[:-1]) - 1
    assert 0 < steady.std() < 1e-15
    assert math.isnan(sharpe(steady, 252))
    assert math.isnan(sortino(steady, 252))
    assert math.isnan(skew(steady))
    assert math.isnan(kurtosis(steady))
    assert math.isnan(beta(RETURNS, steady))
    assert math.isnan(calmar(growth, 100.0, 252))


def test_ruin_is_a_loss_of_everything_a_year() -> None:
    assert cagr(np.array([50.0, 0.0]), CASH, 252) == -1.0
    debt = np.array([50.0, -20.0])
    assert cagr(debt, CASH, 252) == -1.0
    assert total_return(debt, CASH) == -1.2
    assert max_drawdown(debt, CASH) == -1.2
    assert calmar(debt, CASH, 252) == pytest.approx(-1 / 1.2)
    assert math.isnan(turnover(np.ones(1), np.ones(1), debt - 50, 252))


def test_a_rate_too_large_to_be_a_number_is_undefined() -> None:
    assert math.isnan(cagr(np.array([101.0, 105.0]), CASH, 525_600))
    assert math.isnan(alpha(RETURNS, BENCHMARK, 525_600))


def test_no_losing_trade_leaves_the_profit_factor_undefined() -> None:
    assert math.isnan(profit_factor(np.array([1.0, 2.0])))
    assert profit_factor(np.array([-1.0, 0.0])) == 0.0
    assert math.isnan(win_rate(np.empty(0)))
    assert math.isnan(expectancy(np.empty(0)))


@given(returns_strategy, st.floats(0.01, 1.0))
def test_ratios_do_not_depend_on_scale_and_change_sign_with_the_returns(
    returns: FloatArray, scale: float
) -> None:
    for ratio in (lambda r: sharpe(r, 252), skew):
        assert ratio(returns * scale) == pytest.approx(ratio(returns), rel=1e-6, abs=1e-9, nan_ok=True)
        assert ratio(-returns) == pytest.approx(-ratio(returns), rel=1e-9, abs=1e-12, nan_ok=True)
    assert sortino(returns * scale, 252) == pytest.approx(sortino(returns, 252), rel=1e-9, nan_ok=True)
    assert kurtosis(-returns) == pytest.approx(kurtosis(returns), rel=1e-9, abs=1e-9, nan_ok=True)
    assert volatility(returns * scale, 252) == pytest.approx(
        volatility(returns, 252) * scale, rel=1e-9, abs=1e-15
    )


@given(returns_strategy)
def test_tails(returns: FloatArray) -> None:
    assert returns.min() <= cvar(returns) <= value_at_risk(returns) + 1e-15
    assert value_at_risk(returns) <= np.median(returns) + 1e-15
    there, back = tail_ratio(returns), tail_ratio(-returns)
    assert math.isnan(there) or math.isnan(back) or there * back == pytest.approx(1, rel=1e-9)


@given(returns_strategy, st.integers(-3, 3))
def test_equity_figures_do_not_depend_on_the_currency(returns: FloatArray, power: int) -> None:
    equity, cash = CASH * np.cumprod(1 + returns), CASH
    other, other_cash = equity * 2.0**power, cash * 2.0**power
    for figure in (total_return, max_drawdown, max_drawdown_bars):
        assert figure(equity, cash) == figure(other, other_cash)
    assert cagr(equity, cash, 252) == pytest.approx(cagr(other, other_cash, 252), rel=1e-12, nan_ok=True)
    assert -1 < max_drawdown(equity, cash) <= min(0.0, total_return(equity, cash) + 1e-12)


@given(arrays(np.float64, st.integers(0, 30), elements=st.integers(90, 110)))
def test_drawdown_equals_a_plain_loop(equity: FloatArray) -> None:
    peak, peak_bar, deepest, longest, below = CASH, -1, 0.0, 0, False
    for bar, value in enumerate(equity):
        if value >= peak:
            longest = max(longest, bar - peak_bar if below else 0)
            peak, peak_bar, below = value, bar, False
        else:
            deepest, below = min(deepest, value / peak - 1), True
    longest = max(longest, len(equity) - 1 - peak_bar if below else 0)
    assert max_drawdown_bars(equity, CASH) == longest
    if len(equity):
        assert max_drawdown(equity, CASH) == pytest.approx(deepest, abs=1e-15)


@given(returns_strategy, st.floats(-2, 2), st.floats(-0.01, 0.01))
def test_beta_and_alpha_of_a_line(benchmark: FloatArray, slope: float, level: float) -> None:
    returns = level + slope * benchmark
    if benchmark.std() < 1e-6:
        return
    assert beta(returns, benchmark) == pytest.approx(slope, abs=1e-7)
    assert alpha(returns, benchmark, 12) == pytest.approx((1 + level) ** 12 - 1, abs=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_agrees_with_empyrical(seed: int) -> None:
    generator = np.random.default_rng(seed)
    benchmark = 0.01 * generator.standard_t(4, 300 + 37 * seed)
    returns = 0.4 * benchmark + generator.normal(0.0005, 0.01, len(benchmark))
    equity = np.cumprod(1 + returns)
    periods = (252, 365, 52, 12, 2016)[seed]
    own = {
        "cagr": (cagr(equity, 1.0, periods), empyrical.annual_return),
        "volatility": (volatility(returns, periods), empyrical.annual_volatility),
        "sharpe": (sharpe(returns, periods), empyrical.sharpe_ratio),
        "sortino": (sortino(returns, periods), empyrical.sortino_ratio),
        "calmar": (calmar(equity, 1.0, periods), empyrical.calmar_ratio),
    }
    for name, (value, theirs) in own.items():
        assert value == pytest.approx(theirs(returns, annualization=periods), rel=1e-9), name
    assert max_drawdown(equity, 1.0) == pytest.approx(empyrical.max_drawdown(returns), rel=1e-9)
    assert value_at_risk(returns) == pytest.approx(empyrical.value_at_risk(returns), rel=1e-9)
    assert cvar(returns) == pytest.approx(empyrical.conditional_value_at_risk(returns), rel=1e-9)
    assert tail_ratio(returns) == pytest.approx(empyrical.tail_ratio(returns), rel=1e-9)
    theirs = empyrical.alpha_beta_aligned(returns, benchmark, annualization=periods)
    assert (alpha(returns, benchmark, periods), beta(returns, benchmark)) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_moments_agree_with_pandas(seed: int) -> None:
    returns = 0.01 * np.random.default_rng(seed).standard_t(4, 50 + 100 * seed)
    assert skew(returns) == pytest.approx(pd.Series(returns).skew(), rel=1e-9)
    assert kurtosis(returns) == pytest.approx(pd.Series(returns).kurt(), rel=1e-9)


EMPYRICAL = {
    "total_return": "cum_return_final",
    "cagr": "annual_return",
    "volatility": "annual_volatility",
    "sharpe": "sharpe_ratio",
    "sortino": "sortino_ratio",
    "calmar": "calmar_ratio",
    "max_drawdown": "max_drawdown",
    "var_95": "value_at_risk_5pct",
    "cvar_95": "conditional_value_at_risk_5pct",
    "tail_ratio": "tail_ratio",
    "alpha": "alpha",
    "beta": "beta",
}
SAME = ("cagr", "sharpe", "sortino", "calmar", "max_drawdown", "volatility", "tail_ratio", "skew", "kurtosis")
QUANTSTATS = {"total_return": "comp", "beta": "greeks_beta"} | {name: name for name in SAME}
FFN = {
    "total_return": "total_return",
    "max_drawdown": "max_drawdown",
    "volatility": "daily_vol",
    "sharpe": "daily_sharpe",
    "sortino": "daily_sortino",
    "skew": "daily_skew",
    "kurtosis": "daily_kurt",
}


def _figures(frame: pd.DataFrame) -> dict[str, float]:
    returns = frame["ret"].to_numpy()[1:]
    equity = np.cumprod(1 + returns)
    figures = {
        "total_return": total_return(equity, 1.0),
        "cagr": cagr(equity, 1.0, 252),
        "volatility": volatility(returns, 252),
        "sharpe": sharpe(returns, 252),
        "sortino": sortino(returns, 252),
        "calmar": calmar(equity, 1.0, 252),
        "max_drawdown": max_drawdown(equity, 1.0),
        "var_95": value_at_risk(returns),
        "cvar_95": cvar(returns),
        "skew": skew(returns),
        "kurtosis": kurtosis(returns),
        "tail_ratio": tail_ratio(returns),
    }
    if "bench_price" in frame:
        benchmark = frame["bench_price"].pct_change().to_numpy()[1:]
        figures |= {"alpha": alpha(returns, benchmark, 252), "beta": beta(returns, benchmark)}
    return figures


@pytest.mark.parametrize("name", ["sp500_2007_2012", "S:AAPL", "S:XOM", "S:JNJ", "GBPUSD_d1"])
def test_agrees_with_recorded_runs_of_other_libraries(shared: Path, name: str) -> None:
    oracle = json.loads((shared / "oracles/metrics/metrics.json").read_text())[name]
    own = _figures(pd.read_csv(shared / "oracles/metrics" / f"input_{name.replace(':', '_')}.csv"))
    libraries = (
        ("empyrical_reloaded_0.7.1", EMPYRICAL),
        ("quantstats_0.0.86", QUANTSTATS),
        ("ffn_1.4.1", FFN),
    )
    for library, names in libraries:
        theirs = {key: oracle[library][other] for key, other in names.items() if other in oracle[library]}
        assert {key: own[key] for key in theirs} == pytest.approx(theirs, rel=1e-9, abs=1e-9), library


def test_differs_from_other_libraries_as_documented(shared: Path) -> None:
    oracle = json.loads((shared / "oracles/metrics/metrics.json").read_text())["S:AAPL"]
    frame = pd.read_csv(shared / "oracles/metrics/input_S_AAPL.csv")
    returns, market = frame["ret"].to_numpy()[1:], frame["bench_price"].pct_change().to_numpy()[1:]
    mean, spread = returns.mean(), deviation(returns)
    normal_quantile, normal_density = -1.6448536269514722, 0.10313564037537139
    theirs = oracle["quantstats_0.0.86"]
    assert theirs["value_at_risk"] == pytest.approx(mean + normal_quantile * spread, rel=1e-9)
    shortfall = mean - normal_density / 0.05 * spread
    assert theirs["conditional_value_at_risk"] == pytest.approx(shortfall, rel=1e-9)
    yearly = 252 * (mean - beta(returns, market) * market.mean())
    assert theirs["greeks_alpha"] == pytest.approx(yearly, rel=1e-9)
    assert theirs["win_rate"] == pytest.approx(np.sum(returns > 0) / np.sum(returns != 0), rel=1e-9)
    assert theirs["profit_factor"] == pytest.approx(profit_factor(returns), rel=1e-9)
    years = (pd.Timestamp(frame["date"].iloc[-1]) - pd.Timestamp(frame["date"].iloc[0])).days / 365.25
    growth = np.prod(1 + returns) ** (1 / years) - 1
    assert oracle["ffn_1.4.1"]["cagr"] == pytest.approx(growth, rel=1e-9)
    assert oracle["ffn_1.4.1"]["calmar"] == pytest.approx(
        growth / -oracle["ffn_1.4.1"]["max_drawdown"], rel=1e-9
    )


def test_backtesting_py_differs_as_documented(shared: Path) -> None:
    folder = shared / "oracles/backtesting_py"
    stats = json.loads((folder / "runs.json").read_text())["runs"][0]["stats"]
    equity = pd.read_parquet(folder / "00_GOOG_sma_cross_equity.parquet")["equity"].to_numpy()
    gains = pd.DataFrame(json.loads((folder / "00_GOOG_sma_cross_trades.json").read_text()))["ReturnPct"]
    returns = equity[1:] / equity[:-1] - 1
    growth = (equity[-1] / equity[0]) ** (1 / len(returns))
    yearly = growth**252 - 1
    spread = math.sqrt((returns.var(ddof=1) + growth**2) ** 252 - growth**504)
    assert stats["Sharpe Ratio"] == pytest.approx(yearly / spread, rel=1e-9)
    downside = math.sqrt(252 * np.mean(np.minimum(returns, 0) ** 2))
    assert stats["Sortino Ratio"] == pytest.approx(yearly / downside, rel=1e-9)
    assert stats["Max. Drawdown [%]"] == pytest.approx(100 * max_drawdown(equity, 10_000.0), rel=1e-9)
    assert stats["Profit Factor"] == pytest.approx(profit_factor(gains.to_numpy()), rel=1e-9)
    assert stats["Expectancy [%]"] == pytest.approx(100 * gains.mean(), rel=1e-9)
    assert stats["Alpha [%]"] == pytest.approx(
        stats["Return [%]"] - stats["Beta"] * stats["Buy & Hold Return [%]"], rel=1e-9
    )


def test_agrees_with_recorded_runs_of_vectorbt(shared: Path) -> None:
    folder = shared / "oracles/vectorbt"
    compared = 0
    for run in json.loads((folder / "runs.json").read_text())["runs"]:
        stats = {key: value for key, value in run["stats"].items() if value is not None}
        equity = pd.read_parquet(folder / f"{run['id']}_equity.parquet")["value"].to_numpy()
        pnl = pd.DataFrame(json.loads((folder / f"{run['id']}_trades.json").read_text()))["PnL"].to_numpy()
        cash = stats["final_value"] - stats["total_profit"]
        returns = equity / np.append(cash, equity[:-1]) - 1
        own = {
            "total_return": total_return(equity, cash),
            "max_drawdown": max_drawdown(equity, cash),
            "sharpe_ratio_252": sharpe(returns, 252),
            "sortino_ratio_252": sortino(returns, 252),
            "calmar_ratio_252": calmar(equity, cash, 252),
            "annualized_252": cagr(equity, cash, 252),
            "annualized_volatility_252": volatility(returns, 252),
            "value_at_risk_252": value_at_risk(returns),
            "cond_value_at_risk_252": cvar(returns),
            "tail_ratio_252": tail_ratio(returns),
            "n_trades": trade_count(pnl),
            "win_rate": win_rate(pnl),
            "profit_factor": profit_factor(pnl),
            "expectancy": expectancy(pnl),
        }
        own = {key: value for key, value in own.items() if key in stats}
        assert own == pytest.approx({key: stats[key] for key in own}, rel=1e-9), run["id"]
        compared += len(own)
    assert compared > 100


def test_every_metric_says_what_it_is() -> None:
    assert [metric.name for metric in METRICS] == KEYS
    assert len({metric.title for metric in METRICS}) == len(METRICS)
    better = {True: "Higher is better.", False: "Lower is better.", None: "Neither direction is better."}
    functions = dict(inspect.getmembers(of_returns, inspect.isfunction))
    functions |= dict(inspect.getmembers(of_trades, inspect.isfunction))
    named = {"trades": "trade_count", "var_95": "value_at_risk", "cvar_95": "cvar"}
    for metric in METRICS:
        doc = " ".join((functions[named.get(metric.name, metric.name)].__doc__ or "").split())
        assert better[metric.higher_is_better] in doc, metric.name


def test_the_page_lists_every_metric_in_order(repository: Path) -> None:
    page = (repository / "docs/metrics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| (\w+) \| (\w+) \|", page, flags=re.MULTILINE)
    better = {True: "higher", False: "lower", None: "neither"}
    expected = [(m.name, m.title, m.unit, better[m.higher_is_better]) for m in METRICS]
    assert [tuple(part.strip() for part in row) for row in rows] == expected
