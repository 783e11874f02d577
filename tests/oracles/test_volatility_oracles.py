"""Volatility held to arch's own runs and to published figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from windtunnel.bars import Bars
from windtunnel.learn.losses import mse, qlike
from windtunnel.market import Market
from windtunnel.plugin import VolatilityModel
from windtunnel.values import FloatArray
from windtunnel_plugins.volatility import Garch, GjrGarch
from windtunnel_plugins.volatility._garch import mean_variance
from windtunnel_plugins.volatility._past import variances

Rolling = pd.DataFrame


@pytest.fixture(scope="module")
def rolling(shared: Path) -> Rolling:
    return pd.read_parquet(shared / "oracles/volatility/rolling_forecasts_sp500.parquet")


def market_of(returns: FloatArray) -> Market:
    """A market whose log returns are these, in per cent."""
    close = 100 * np.exp(np.cumsum([0.0, *(returns / 100)]))
    time = np.datetime64("1999-01-01", "ns") + np.arange(len(close)) * np.timedelta64(1, "D")
    return Market(Bars.from_arrays(time, close))


@pytest.mark.parametrize(
    ("model", "column"),
    [
        (Garch(innovations="normal"), "h_garch11"),
        (GjrGarch(innovations="normal"), "h_gjr"),
        (Garch(), "h_garch11_t"),
    ],
    ids=["garch", "gjr", "garch_t"],
)
def test_forecasts_what_arch_forecast(model: VolatilityModel, column: str, rolling: Rolling) -> None:
    """Parameters from the rows before each 500th, forecasts until the next 250th."""
    market = market_of(rolling["ret"].to_numpy())
    for start in range(2500, len(rolling), 500):
        state = model.fit(market.until(start + 1), 1)
        assert state is not None
        mean = model.forecast(market.until(start + 250), state, 1).mean[start:, 0]
        drift = state["parameters"][0][0]
        found = (mean**2 / market.periods_per_year - drift**2) * 1e4
        expected = rolling[column].to_numpy()[start : start + len(found)]
        np.testing.assert_allclose(found[: len(expected)], expected, rtol=3e-4)


@pytest.mark.parametrize(
    ("model", "key"),
    [
        (Garch(innovations="normal"), "garch11_normal"),
        (GjrGarch(innovations="normal"), "gjr_garch_normal"),
        (Garch(), "garch11_t"),
        (GjrGarch(), "gjr_t"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_finds_the_parameters_that_arch_found(model: Garch, key: str, shared: Path) -> None:
    import arch.data.sp500

    expected = json.loads((shared / "oracles/volatility/arch_sp500.json").read_text())[key]
    returns = 100 * arch.data.sp500.load()["Adj Close"].pct_change().dropna().to_numpy()
    state = model.fit(market_of(returns), 5)
    assert state is not None
    parameters = state["parameters"][0] * np.array([100, 1e4, 1, 1, 1, 1, 1e4])
    names = ("mu", "omega", "alpha[1]", "gamma[1]", "beta[1]", "nu")
    for found, name in zip(parameters, names, strict=False):
        if name in expected["params"]:
            assert found == pytest.approx(expected["params"][name], rel=2e-3, abs=2e-4), name
    ahead = expected["variance_forecast_h1_h5"]
    for horizon in (1, 5):
        said = mean_variance(parameters, returns, horizon)[-1] - parameters[0] ** 2
        assert said == pytest.approx(np.mean(ahead[:horizon]), rel=1e-3)
    deviations = np.sqrt(mean_variance(parameters, returns, 1)[-6:-1] - parameters[0] ** 2)
    np.testing.assert_allclose(deviations, expected["cond_vol_last5"], rtol=5e-4)


def test_the_recursion_is_that_of_the_published_benchmark(shared: Path) -> None:
    """Fiorentini, Calzolari & Panattoni (1996): their parameters and start give their likelihood."""
    folder = shared / "oracles/volatility"
    published = json.loads((folder / "published_garch_benchmarks.json").read_text())["FCP_GARCH11"]
    returns = pd.read_csv(folder / "dem2gbp.csv").iloc[:, -1].to_numpy()
    mean, omega, alpha, beta = (published["params"][name] for name in ("mu", "omega", "alpha1", "beta1"))
    squares = (returns - mean) ** 2
    parameters = np.array([mean, omega, alpha, 0, beta, np.inf, squares.mean()])
    first = omega + (alpha + beta) * squares.mean()
    variance = np.concatenate(([first], mean_variance(parameters, returns, 1)[:-1] - mean**2))
    likelihood = -0.5 * (np.log(2 * np.pi) + np.log(variance) + squares / variance).sum()
    assert likelihood == pytest.approx(published["loglikelihood"], abs=1e-4)


def test_losses_are_those_of_the_run(rolling: Rolling, shared: Path) -> None:
    expected = json.loads((shared / "oracles/volatility/losses_sp500.json").read_text())["losses"]
    columns = {"garch11": "h_garch11", "gjr": "h_gjr", "garch11_t": "h_garch11_t"}
    for model, column in columns.items():
        said = rolling[column].to_numpy()
        for proxy, against in (("r2", "vs_r2"), ("garman_klass", "vs_garman_klass")):
            came, figures = rolling[proxy].to_numpy(), expected[model][against]
            assert np.nanmean(qlike(came, said)) == pytest.approx(figures["qlike_log"], rel=1e-9)
            assert np.nanmean(mse(came, said)) == pytest.approx(figures["mse"], rel=1e-9)


@pytest.mark.parametrize("estimator", ["garman_klass", "parkinson", "rogers_satchell"])
def test_range_estimators_are_those_of_the_run(estimator: Any, rolling: Rolling) -> None:
    import arch.data.sp500

    data = arch.data.sp500.load().loc[rolling.index]
    fields = {name: data[name.title()].to_numpy() for name in ("open", "high", "low", "close")}
    found = variances(Market(Bars.from_arrays(data.index.to_numpy(), **fields)), estimator)
    np.testing.assert_allclose(found[:, 0] * 1e4, rolling[estimator], rtol=1e-8, atol=1e-12)
