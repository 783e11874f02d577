"""The metrics against what other programs compute, where they agree and where they differ by definition."""

from __future__ import annotations

import json
import math
from pathlib import Path

import empyrical
import numpy as np
import pandas as pd
import pytest

from windtunnel.engine.metrics.returns import (
    alpha,
    beta,
    cagr,
    calmar,
    cvar,
    deviation,
    kurtosis,
    max_drawdown,
    sharpe,
    skew,
    sortino,
    tail_ratio,
    total_return,
    value_at_risk,
    volatility,
)
from windtunnel.engine.metrics.trades import expectancy, profit_factor, trade_count, win_rate


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
    years = pd.Timedelta(stats["Duration"]).days / 365.25
    assert stats["CAGR [%]"] == pytest.approx(100 * ((equity[-1] / equity[0]) ** (1 / years) - 1), rel=1e-9)
    close = pd.read_parquet(shared / "oracles/indicators/input_GOOG.parquet")["Close"].to_numpy()
    logs = np.diff(np.log(equity)), np.diff(np.log(close))
    assert stats["Beta"] == pytest.approx(beta(*logs), rel=1e-9)
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
