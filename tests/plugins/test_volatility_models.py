"""The volatility models, against loops, simulated truth and their own promise of coverage."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import log, sqrt
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from windtunnel.bars import Bars
from windtunnel.errors import PluginError
from windtunnel.learn import realised_volatility
from windtunnel.learn.losses import diebold_mariano, qlike
from windtunnel.market import Market
from windtunnel.plugin import State, VolatilityModel
from windtunnel.store.states import freeze, thaw
from windtunnel.values import FloatArray, Forecast
from windtunnel_plugins.volatility import Ensemble, Ewma, Forest, Garch, GjrGarch, Har
from windtunnel_plugins.volatility._garch import RISKMETRICS, likeliest, mean_variance, multiples
from windtunnel_plugins.volatility._past import downside, level, outcomes, past_means, variances

Panel = Callable[..., Bars]
FOREST = Forest(trees=5, leaf=5)
LEARNERS: list[VolatilityModel] = [
    Garch(least=150),
    GjrGarch(least=150),
    Har(),
    Har(form="level", estimator="yang_zhang", leverage=False),
    FOREST,
    Ensemble(members=(Ewma(), Har(), FOREST), weights="loss"),
]
by_name = pytest.mark.parametrize("model", LEARNERS, ids=lambda model: model.name)


def test_weighs_squared_returns_by_hand(panel: Panel) -> None:
    model = Ewma(decay=0.5)  # 7 returns until all but 1 % of the weights are in: 0.5 ** 7 < 0.01
    returns = np.array([0.01, -0.02, 0.03, 0.0, 0.01, -0.01, 0.02, 0.04])
    close = 50 * np.exp(np.cumsum([0.0, *returns]))
    forecast = model.forecast(Market(replace(panel(close), periods_per_year=100.0)), None, horizon=1)
    assert model.warmup == 7
    for bar in (7, 8):
        weights = [0.5**age for age in range(bar)]
        squares = [r * r for r in returns[bar - 1 :: -1]]
        variance = sum(w * s for w, s in zip(weights, squares, strict=True)) / sum(weights)
        assert forecast.mean[bar, 0] == pytest.approx(sqrt(variance * 100), rel=1e-12)
    assert np.isnan(forecast.mean[:7]).all()


def test_agrees_with_riskmetrics_once_the_start_is_forgotten(shared: Path, panel: Panel) -> None:
    oracle = pd.read_parquet(shared / "oracles/volatility/rolling_forecasts_sp500.parquet")
    close = 100 * np.exp(np.cumsum([0.0, *(oracle["ret"] / 100)]))
    forecast = Ewma().forecast(Market(replace(panel(close), periods_per_year=252.0)), None, horizon=1)
    variance = forecast.mean[:-1, 0] ** 2 / 252 * 1e4
    expected = oracle["h_riskmetrics94"].to_numpy()
    known = ~np.isnan(expected)
    assert known.sum() == 2530
    np.testing.assert_allclose(variance[known], expected[known], rtol=1e-9)


@pytest.mark.parametrize("horizon", [1, 5, 20])
@pytest.mark.parametrize("coverage", [0.5, 0.8])
def test_covers_what_it_promises_under_its_own_assumption(
    horizon: int, coverage: float, panel: Panel
) -> None:
    """Gaussian returns of one variance; a slow decay, so that the variance is well known."""
    returns = np.random.default_rng(5).normal(0, 0.01, (12_000, 1))
    market = Market(replace(panel(100 * np.exp(np.cumsum(returns, axis=0))), periods_per_year=252.0))
    forecast = Ewma(decay=0.997, coverage=coverage).forecast(market, None, horizon)
    squares = np.convolve(returns[:, 0] ** 2, np.ones(horizon), "valid") / horizon
    realised = np.sqrt(squares[1:] * 252)
    low, high = (end[: len(realised), 0] for end in (forecast.low, forecast.high))
    known = ~np.isnan(low)
    inside = ((low < realised) & (realised < high))[known].mean()
    assert inside == pytest.approx(coverage, abs=0.03)


def test_the_interval_narrows_with_the_horizon() -> None:
    low, high = Ewma()._interval(1)
    assert low**2 == pytest.approx(0.015790774)  # chi-square of one degree of freedom, quantiles 0.1 and 0.9
    assert high**2 == pytest.approx(2.705543454)
    widths = [np.subtract(*Ewma()._interval(horizon)[::-1]) for horizon in (1, 5, 20, 250)]
    assert widths == sorted(widths, reverse=True)
    assert all(low < 1 < high for low, high in map(Ewma()._interval, (1, 5, 20, 250)))


def test_the_mean_does_not_depend_on_the_horizon(rough: Bars) -> None:
    one, twenty = (Ewma().forecast(Market(rough), None, horizon) for horizon in (1, 20))
    np.testing.assert_array_equal(one.mean, twenty.mean)
    assert (one.horizon, twenty.horizon) == (1, 20)
    assert np.isnan(one.mean[~rough.present]).all()


def test_warmup_leaves_one_per_cent_of_the_weights() -> None:
    for decay in (0.5, 0.94, 0.97, 0.999):
        warmup = Ewma(decay=decay).warmup
        assert decay**warmup <= 0.01 < decay ** (warmup - 1)
    assert Ewma().warmup == int(log(0.01) / log(0.94)) + 1 == 75


def turbulent(
    rows: int, seed: int = 3, gamma: float = 0.16, beta: float = 0.88
) -> tuple[FloatArray, FloatArray]:
    """Returns of a GJR process with t innovations, and their variance, one step ahead of each."""
    random = np.random.default_rng(seed)
    shocks = random.standard_t(8, rows) * sqrt(6 / 8)
    returns, variance, now = np.empty(rows), np.empty(rows), 1e-4
    for bar in range(rows):
        variance[bar] = now
        returns[bar] = 0.0004 + sqrt(now) * shocks[bar]
        excess = returns[bar] - 0.0004
        now = 2e-6 + (0.02 + gamma * (excess < 0)) * excess**2 + beta * now
    return returns, variance


@pytest.fixture(scope="module")
def stormy(panel: Panel) -> Bars:
    """1,500 bars of such a process, with highs and lows of 30 steps within each."""
    returns, variance = turbulent(1_500)
    random = np.random.default_rng(4)
    steps = random.normal(0, 1, (1_500, 30)) * np.sqrt(variance / 30)[:, None]
    steps += ((returns - steps.sum(axis=1)) / 30)[:, None]
    paths = np.cumsum(steps, axis=1)
    close = 100 * np.exp(np.cumsum(returns))
    before = np.concatenate(([100.0], close[:-1]))
    high, low = (before * np.exp(np.clip(ends, *clip)) for ends, clip in
                 ((paths.max(axis=1), (0, None)), (paths.min(axis=1), (None, 0))))  # fmt: skip
    bars = panel(close, open=before, high=np.maximum(high, close), low=np.minimum(low, close))
    return replace(bars, periods_per_year=252.0)


@by_name
def test_says_the_same_of_the_past_whatever_follows(model: VolatilityModel, rough: Bars) -> None:
    state = model.fit(Market(rough), 3)
    assert state is not None
    whole, part = (model.forecast(market, state, 3) for market in (Market(rough), Market(rough.cut(0, 330))))
    for name in ("mean", "low", "high"):
        np.testing.assert_array_equal(getattr(whole, name)[:330], getattr(part, name))


@by_name
def test_speaks_on_every_bar_after_the_warmup(model: VolatilityModel, rough: Bars) -> None:
    forecast = model.forecast(Market(rough), model.fit(Market(rough), 2), 2)
    forecast.check(rough.shape)
    order = np.cumsum(rough.present, axis=0) - 1
    expected = rough.present & (order >= model.warmup)
    spoken = ~np.isnan(forecast.mean)
    fitted = spoken.any(axis=0)
    assert fitted.sum() >= 3
    np.testing.assert_array_equal(spoken[:, fitted] & (order >= model.warmup)[:, fitted], expected[:, fitted])
    assert not (spoken & ~rough.present).any()
    assert (forecast.low[spoken] < forecast.high[spoken]).all()


@by_name
def test_a_gap_changes_nothing_on_a_symbols_own_bars(model: VolatilityModel, stormy: Bars) -> None:
    own = stormy.cut(0, 400)
    rows = np.sort(np.random.default_rng(5).choice(600, 400, replace=False))
    fields = {}
    for name in ("open", "high", "low", "close", "volume"):
        fields[name] = np.full((600, 1), np.nan, order="F")
        fields[name][rows] = getattr(own, name)
    time = np.datetime64("2015-01-01", "ns") + np.arange(600) * np.timedelta64(1, "D")
    gappy = replace(own, time=time, last_bar=rows[-1:].copy(), spacing=float("nan"), **fields)
    expected, found = (model.forecast(m, model.fit(m, 1), 1) for m in (Market(own), Market(gappy)))
    np.testing.assert_allclose(found.mean[rows], expected.mean, rtol=1e-9)


@by_name
def test_gives_the_same_bits_twice_and_after_being_stored(model: VolatilityModel, rough: Bars) -> None:
    market = Market(rough)
    one, two = model.fit(market, 2), model.fit(Market(rough), 2)
    kept = thaw(freeze(one))
    for state in (two, kept):
        np.testing.assert_array_equal(
            model.forecast(market, one, 2).high, model.forecast(market, state, 2).high
        )


@by_name
@pytest.mark.parametrize("returns", [np.zeros(400), np.full(400, 0.001), np.ones(6) * 0.01, np.zeros(0)])
def test_without_movement_or_data_it_abstains_or_says_nothing_wild(
    model: VolatilityModel, returns: FloatArray, panel: Panel
) -> None:
    market = Market(panel(100 * np.exp(np.cumsum([0.0, *returns]))))
    forecast = model.forecast(market, model.fit(market, 5), 5)
    forecast.check(market.shape)
    known = forecast.mean[~np.isnan(forecast.mean)]
    assert known.size == 0 or known.max() < 0.03


@by_name
def test_prices_that_stand_still_for_a_year_break_nothing(model: VolatilityModel, panel: Panel) -> None:
    returns = turbulent(900)[0]
    returns[300:600] = 0
    market = Market(panel(100 * np.exp(np.cumsum(returns))))
    forecast = model.forecast(market, model.fit(market, 1), 1)
    forecast.check(market.shape)
    assert (forecast.mean[700:] > 0).all()


def test_closes_alone_are_enough_for_har(panel: Panel) -> None:
    market = Market(panel(100 * np.exp(np.cumsum(turbulent(500)[0]))))
    one, other = (
        model.forecast(market, model.fit(market, 1), 1).mean[60:]
        for model in (Har(), Har(estimator="squared"))
    )
    assert (one > 0).all()
    np.testing.assert_allclose(one[200:], other[200:], rtol=0.1)


@by_name
def test_a_state_of_none_abstains(model: VolatilityModel, rough: Bars) -> None:
    forecast = model.forecast(Market(rough), None, 5)
    forecast.check(rough.shape)
    if not isinstance(model, Ensemble):  # its member ewma learns nothing
        assert np.isnan(forecast.mean).all()


@pytest.mark.parametrize(
    ("model", "bars"),
    [(Garch(), 21), (GjrGarch(), 21), (Har(), 21), (Forest(trees=40), 252)],
    ids=["garch", "gjr_garch", "har", "forest"],
)
def test_sees_more_than_the_mean_of_past_bars(model: VolatilityModel, bars: int, stormy: Bars) -> None:
    """Fitted on 1,000 bars, asked about the next 500, and held to the variance that made them."""
    market = Market(stormy)
    forecast = model.forecast(market, model.fit(market.until(1_000), 1), 1)
    truth = turbulent(1_500)[1][1_001:]
    squares = market.log_returns()[:, 0] ** 2
    mean = np.array([squares[bar - bars + 1 : bar + 1].mean() for bar in range(1_000, 1_499)])
    ours, naive = (qlike(truth, said) for said in (forecast.mean[1_000:-1, 0] ** 2 / 252, mean))
    test = diebold_mariano(ours, naive)
    assert test.difference < 0
    assert test.p < 0.05


def test_the_recursion_is_that_of_a_loop() -> None:
    returns, _ = turbulent(50)
    parameters = np.array([0.0003, 3e-6, 0.03, 0.1, 0.85, 8.0, 2e-4])
    mean, omega, alpha, gamma, beta, _, before = parameters
    now = omega + (alpha + gamma / 2 + beta) * before
    expected = []
    for value in returns:
        shock = value - mean
        now = omega + (alpha + gamma * (shock < 0)) * shock**2 + beta * now
        path = [now]
        for _ in range(4):
            path.append(omega + (alpha + gamma / 2 + beta) * path[-1])
        expected.append(mean**2 + sum(path) / 5)
    np.testing.assert_allclose(mean_variance(parameters, returns, 5), expected, rtol=1e-12)


def test_garch_finds_the_parameters_that_made_the_returns() -> None:
    found = likeliest(turbulent(12_000, seed=8)[0], True, "t")
    mean, omega, alpha, gamma, beta, freedom, _ = found
    assert mean == pytest.approx(0.0004, abs=2e-4)
    assert omega == pytest.approx(2e-6, rel=0.3)
    assert (alpha, gamma, beta) == pytest.approx((0.02, 0.16, 0.88), abs=0.025)
    assert freedom == pytest.approx(8, abs=1.5)


def test_a_fit_that_fails_falls_back(monkeypatch: pytest.MonkeyPatch) -> None:
    from arch.univariate.base import ARCHModelResult

    monkeypatch.setattr(ARCHModelResult, "convergence_flag", 9)
    found = likeliest(turbulent(300)[0], False, "t")
    assert tuple(found[:6]) == RISKMETRICS
    assert found[6] > 0


def test_a_symbol_with_few_returns_is_left_out(rough: Bars) -> None:
    state = Garch(least=290).fit(Market(rough), 1)
    assert state is not None
    assert state["symbols"].tolist() == ["A", "B", "D"]
    assert Garch(least=1_000).fit(Market(rough), 1) is None
    other = Market(rough.select(["C", "A"]))
    forecast = Garch().forecast(other, state, 1)
    assert np.isnan(forecast.mean[:, 0]).all()
    np.testing.assert_array_equal(forecast.mean[:, 1], Garch().forecast(Market(rough), state, 1).mean[:, 0])


def test_the_interval_of_one_t_return_holds_its_quantiles() -> None:
    from scipy.stats import t

    low, high = multiples(5.0, 1, 0.8)
    unit = sqrt(3 / 5)
    assert (low, high) == pytest.approx((t.ppf(0.55, 5) * unit, t.ppf(0.95, 5) * unit))
    assert multiples(1e9, 7, 0.8) == pytest.approx(multiples(np.inf, 7, 0.8), rel=1e-6)
    assert multiples(np.inf, 7, 0.8) == pytest.approx(Ewma()._interval(7))


def test_range_estimators_by_hand(panel: Panel) -> None:
    bars = panel([100, 102], open=[100, 101], high=[101, 104], low=[99, 100])
    o, u, d, c = (log(x) for x in (101 / 100, 104 / 101, 100 / 101, 102 / 101))
    inside = u * (u - c) + d * (d - c)
    k = 0.34 / 2.34
    expected = {
        "squared": log(1.02) ** 2,
        "parkinson": log(1.04) ** 2 / (4 * log(2)),
        "garman_klass": 0.5 * log(1.04) ** 2 - (2 * log(2) - 1) * c**2,
        "rogers_satchell": inside,
        "yang_zhang": o**2 + k * c**2 + (1 - k) * inside,
    }
    for name, value in expected.items():
        assert variances(Market(bars), name)[1, 0] == pytest.approx(value), name  # type: ignore[arg-type]


def test_what_is_known_is_in_units_of_the_level(stormy: Bars) -> None:
    market = Market(stormy)
    squares = variances(market, "squared")[:, 0]
    bar = 700
    long = squares[bar - 251 : bar + 1].mean()
    assert level(squares)[bar] == pytest.approx(long)
    assert level(squares)[30] == pytest.approx(squares[1:31].mean())
    assert np.isnan(level(squares)[:22]).all()
    assert past_means(squares, (5,))[0][bar] == pytest.approx(
        max(squares[bar - 4 : bar + 1].mean() / long, 0.01)
    )
    ahead = np.mean(squares[bar + 1 : bar + 4])
    assert outcomes(market, 3)[bar, 0] == pytest.approx(ahead / long)
    assert np.isnan(outcomes(market, 3)[-3:]).all()
    losses = np.maximum(-market.log_returns()[bar - 4 : bar + 1, 0], 0)
    assert downside(market, (5,))[0][bar, 0] == pytest.approx(losses.mean() / sqrt(long))


@pytest.mark.parametrize("horizon", [1, 5])
def test_no_logarithm_root_or_range_leaves_a_bias(horizon: int, stormy: Bars) -> None:
    """In training the mean share of the level that is forecast is that which came; with QLIKE their ratio."""
    market = Market(stormy)
    came = outcomes(market, horizon)
    unit = level(variances(market, "squared")) * 252
    for model, tolerance in ((Har(), 1e-3), (Har(form="level"), 0.02), (FOREST, 0.05)):
        said = model.forecast(market, model.fit(market, horizon), horizon).mean ** 2 / unit
        known = ~np.isnan(said + came)
        ratio = came[known] / said[known]
        bias = ratio.mean() if model == Har() else came[known].mean() / said[known].mean()
        assert bias == pytest.approx(1, abs=tolerance), model


def test_har_speaks_of_a_symbol_that_it_never_saw(stormy: Bars, panel: Panel) -> None:
    """Prices and their level of volatility cancel out."""
    half = replace(
        stormy, **{name: np.sqrt(getattr(stormy, name)) for name in ("open", "high", "low", "close")}
    )
    state = Har().fit(Market(stormy), 5)
    one, other = (Har().forecast(Market(bars), state, 5).mean for bars in (stormy, half))
    np.testing.assert_allclose(other, one / 2, rtol=1e-9)


@pytest.mark.parametrize("model", [Har(), FOREST], ids=lambda model: model.name)
def test_a_state_for_another_horizon_is_refused(model: VolatilityModel, stormy: Bars) -> None:
    market = Market(stormy)
    with pytest.raises(PluginError, match=r"fitted for a horizon of 2 bars \(got 3\)"):
        model.forecast(market, model.fit(market, 2), 3)


def test_har_refuses_a_month_within_a_week() -> None:
    with pytest.raises(ValueError, match="month must be greater than week = 10"):
        Har(week=10, month=10)


def test_a_forest_of_many_symbols_draws_its_rows(rough: Bars) -> None:
    few, all_ = Forest(trees=2, rows=1_000), Forest(trees=2, rows=5_000)
    one, two, again = (model.fit(Market(rough), 1) for model in (few, all_, few))
    assert one is not None
    assert two is not None
    assert again is not None
    assert one["low"] == again["low"] != two["low"]


class Says(VolatilityModel):
    """Says a constant, and nothing before a bar."""

    name = "says_a_constant"
    value: float = 0.1
    """What it says."""
    start: int = 0
    """Bars on which it abstains."""

    def forecast(self, market: Market, state: State, horizon: int) -> Forecast:
        mean = np.full(market.shape, self.value)
        mean[: self.start] = np.nan
        return Forecast(mean, mean / 2, mean * 2, horizon)


def test_an_ensemble_averages_variances_of_those_that_speak(rough: Bars) -> None:
    model = Ensemble(members=(Says(value=0.1), Says(value=0.3, start=50)), weights="equal")
    market = Market(rough)
    forecast = model.forecast(market, model.fit(market, 1), 1)
    assert np.unique(forecast.mean[:50]) == pytest.approx([0.1])
    both = sqrt((0.1**2 + 0.3**2) / 2)
    for name, factor in (("mean", 1), ("low", 0.5), ("high", 2)):
        np.testing.assert_allclose(getattr(forecast, name)[50:], both * factor)


def test_an_ensemble_weighs_by_past_losses(panel: Panel) -> None:
    returns = np.random.default_rng(9).normal(0, 0.01, 800)
    market = Market(replace(panel(100 * np.exp(np.cumsum(returns))), periods_per_year=252.0))
    members = Says(value=0.01 * sqrt(252)), Says(value=0.05 * sqrt(252))
    state = Ensemble(members=members, weights="loss", past=400).fit(market, 5)
    assert state is not None
    came = realised_volatility(market.close, 5, 252.0)[400:795, 0] ** 2 / 252
    regret = [np.mean(came / h**2 - np.log(came / h**2) - 1) for h in (0.01, 0.05)]
    np.testing.assert_allclose(state["weights"], [1 / one for one in regret])
    assert state["weights"][0] > 5 * state["weights"][1]


def test_an_ensemble_without_outcomes_weighs_alike(panel: Panel) -> None:
    market = Market(panel([100.0, 101, 99]))
    state = Ensemble(members=(Says(), Says(value=0.2)), weights="loss").fit(market, 5)
    assert state is not None
    assert state["weights"].tolist() == [1, 1]
