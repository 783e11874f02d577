"""Hidden Markov models that statsmodels and hmmlearn fitted: likelihood, filter and what is learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from windtunnel_plugins.regimes._baum_welch import Chain, Prior, learn
from windtunnel_plugins.regimes._markov import expectation, filtered


@pytest.fixture(scope="module")
def oracle(shared: Path) -> dict[str, Any]:
    return json.loads((shared / "oracles/regimes/markov_hmm.json").read_text())


def switching(params: dict[str, float]) -> Chain:
    """Two states of statsmodels, which begin in the stationary distribution."""
    leave, come = 1 - params["p[0->0]"], params["p[1->0]"]
    variance = [params.get(f"sigma2[{state}]", params.get("sigma2", np.nan)) for state in (0, 1)]
    return Chain(
        np.array([come, leave]) / (come + leave),
        np.array([[1 - leave, leave], [come, 1 - come]]),
        np.array([params["const[0]"], params["const[1]"]]),
        np.sqrt(variance),
        np.full(2, 0.5),
    )


def model(chain: Chain) -> tuple[np.ndarray, ...]:
    return chain.start, chain.transitions, chain.mean, chain.deviation


def one_sequence(values: np.ndarray) -> np.ndarray:
    return np.arange(len(values)) == 0


def daily(shared: Path) -> np.ndarray:
    prices = pd.read_csv(shared / "data/sp500_vix_daily/sp500_1999_2018.csv")
    return 100 * np.diff(np.log(prices["Close"].to_numpy()))


def test_filter_and_likelihood_of_the_weekly_sp500(shared: Path, oracle: dict[str, Any]) -> None:
    theirs = oracle["sp500_weekly_1998_2018_switching_mean_variance"]
    weeks = pd.read_csv(shared / "oracles/regimes/sp500_weekly_markov_probs.csv")
    values, chain = weeks["ret"].to_numpy(), switching(theirs["params"])
    likelihood = expectation(values, one_sequence(values), *model(chain))[0]
    assert likelihood == pytest.approx(theirs["llf"], abs=1e-6)
    found = filtered(values, *model(chain))
    np.testing.assert_allclose(found[:, 0], weeks["filtered0"], atol=1e-8)


def test_likelihood_of_the_federal_funds_rate(shared: Path, oracle: dict[str, Any]) -> None:
    theirs = oracle["fedfunds_2_regime_const"]["statsmodels_0.15.0"]
    values = pd.read_csv(shared / "oracles/regimes/fedfunds.csv")["fedfunds"].to_numpy()
    likelihood = expectation(values, one_sequence(values), *model(switching(theirs["params"])))[0]
    assert likelihood == pytest.approx(theirs["llf"], abs=1e-5)


@pytest.mark.parametrize("states", [2, 3])
def test_learns_what_hmmlearn_learned_of_the_daily_sp500(
    shared: Path, oracle: dict[str, Any], states: int
) -> None:
    """Theirs adds a prior of 0.01 to every variance, which moves its maximum a little from ours."""
    theirs = oracle["hmmlearn"][f"sp500_daily_{states}"]
    chain = learn([daily(shared)], states, Prior(), restarts=8, steps=1000, seed=0)
    order = np.argsort(chain.deviation)
    assert chain.likelihood == pytest.approx(theirs["loglik"], abs=0.1)
    assert chain.likelihood > theirs["loglik"] - 0.01
    np.testing.assert_allclose(chain.mean[order], np.ravel(theirs["means"]), atol=0.01)
    np.testing.assert_allclose(chain.deviation[order] ** 2, np.ravel(theirs["covars"]), rtol=0.02)
    np.testing.assert_allclose(chain.transitions[np.ix_(order, order)], theirs["transmat"], atol=0.003)
    np.testing.assert_allclose(chain.weight[order], theirs["share"], atol=0.02)
