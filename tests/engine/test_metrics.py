"""The metrics against hand-computed bars, at their edges, and as a table."""

from __future__ import annotations

import inspect
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

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
from windtunnel.engine.simulation import FILL_COLUMNS, Fills, Simulation
from windtunnel.errors import InvalidValueError
from windtunnel.values import FloatArray, Metric, Rules

KEYS = (
    "total_return cagr volatility sharpe sortino calmar max_drawdown max_drawdown_bars time_invested turnover"
    " trades win_rate profit_factor expectancy fees var_95 cvar_95 skew kurtosis tail_ratio alpha beta"
)
CASH = 100.0
EQUITY = np.array([125.0, 100.0, 80.0, 80.0, 100.0, 150.0, 135.0])
RETURNS = np.array([0.25, -0.2, -0.2, 0.0, 0.25, 0.5, -0.1])
BENCHMARK = np.array([0.1, -0.1, 0.0, 0.0, 0.0, 0.1, -0.1])
PNL = np.array([30.0, -10.0, 0.0, 20.0, -5.0])


def simulation(equity: FloatArray = EQUITY, fills: FloatArray | None = None) -> Simulation:
    """One symbol whose close is the equity; the fills need not fit to it."""
    bars = Bars.from_arrays(np.arange("2020-01-01", "2020-01-08", dtype="datetime64[D]"), EQUITY)
    rows = np.empty((0, len(FILL_COLUMNS))) if fills is None else fills
    held = np.where(np.arange(len(equity)) == 4, 0.0, equity)
    nothing = np.zeros(len(equity))
    made = Fills.of(rows)
    return Simulation(
        bars.cut(0, len(equity)), Rules(cash=CASH), equity, equity - held, held, nothing, made, np.zeros(1)
    )


def round_trips() -> FloatArray:
    """Bought at 100, sold at 150 and bought again, all with a fee; the second is still open at 135."""
    rest = [0, 0.0, np.nan, 1]
    bought = [0, 0, 1.0, 100.0, 1.0, 0.0, 1.0, *rest]
    sold = [5, 0, -1.0, 150.0, 2.0, 0.0, 0.0, *rest]
    again = [5, 0, 1.0, 150.0, 3.0, 0.0, 1.0, *rest]
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
    assert " ".join(figures) == KEYS
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
    assert " ".join(figures) == f"{KEYS} last endless"
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
    undefined = set(KEYS.split()) - zero - {"time_invested"}
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


def test_every_metric_says_what_it_is() -> None:
    assert " ".join(metric.name for metric in METRICS) == KEYS
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


def test_the_example_of_the_page_works(repository: Path) -> None:
    page = (repository / "docs/metrics.md").read_text()
    (example,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names: dict[str, Metric] = {}
    exec(example, names)
    assert compute(Performance(simulation(), 4), [names["worst_bar"]])["worst_bar"] == pytest.approx(-0.2)
