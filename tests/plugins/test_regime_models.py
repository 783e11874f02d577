"""Regime models: against enumeration and plain loops, by hand, and on paths whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise, product
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from windtunnel.bars import Bars
from windtunnel.learn import LearnedSection, answers, silent
from windtunnel.market import Market
from windtunnel.plugin import RegimeModel
from windtunnel.reporting.charts import regimes as charts
from windtunnel.reporting.charts.chart import Chart
from windtunnel.values import Regimes, Request
from windtunnel_plugins.regimes import BearMarket, ChangePoints, GaussianMixture, HiddenMarkov, KMeans
from windtunnel_plugins.regimes._baum_welch import Prior, learn
from windtunnel_plugins.regimes._dwell import standing
from windtunnel_plugins.regimes._markov import expectation, filtered
from windtunnel_plugins.regimes._naming import NAMES, RECOMMENDED, by_name, codes_of
from windtunnel_plugins.regimes._pool import Scales, pooled
from windtunnel_plugins.regimes._runs import runs
from windtunnel_plugins.regimes.bear_market import _turns
from windtunnel_plugins.sources import Synthetic

Panel = Callable[..., Bars]
MODELS: list[RegimeModel] = [
    HiddenMarkov(restarts=4, steps=30),
    KMeans(trend=20, volatility=10),
    GaussianMixture(trend=20, volatility=10, states=4),
    ChangePoints(longest=100),
    BearMarket(),
]
CHAIN = (
    np.array([0.6, 0.4]),
    np.array([[0.9, 0.1], [0.3, 0.7]]),
    np.array([0.5, -1.0]),
    np.array([1.0, 2.0]),
)
VALUES = np.array([0.3, -2.0, 1.5, 0.1, -3.0])


def market(bars: Bars) -> Market:
    return Market(replace(bars, periods_per_year=252.0))


def paths(assets: int, bars: int, dwell: float, seed: int) -> tuple[Bars, np.ndarray]:
    table = Synthetic(assets=assets, bars=bars, dwell=dwell, seed=seed).load(Request())
    panel = Bars.from_frame(table.frame)
    assert table.truth is not None
    labels = table.truth["regimes"][list(panel.symbols)].to_numpy()
    return panel, np.array([[NAMES.index(label) for label in row] for row in labels])


def by_enumeration(values: np.ndarray) -> tuple[np.ndarray, float]:
    """The probability of every state at every bar given all values, and the likelihood, path by path."""
    start, transitions, mean, deviation = CHAIN
    found, total = np.zeros((len(values), 2)), 0.0
    for path in product((0, 1), repeat=len(values)):
        chance = start[path[0]] * np.prod([transitions[a, b] for a, b in pairwise(path)])
        states = list(path)
        chance *= np.prod(stats.norm.pdf(values, mean[states], deviation[states]))
        found[np.arange(len(values)), states] += chance
        total += chance
    return found / total, float(np.log(total))


class TestNames:
    def test_follow_drift_and_volatility(self) -> None:
        drift = np.array([0.25, -0.30, 0.0, 0.0, 0.05])
        volatility = np.array([0.12, 0.22, 0.12, 0.40, 0.13])
        named = [NAMES[code] for code in codes_of(drift, volatility, np.ones(5))]
        assert named == ["trending_bullish", "trending_bearish", "ranging", "high_volatility", "ranging"]

    def test_are_the_same_in_any_unit_and_order(self) -> None:
        random = np.random.default_rng(0)
        drift, volatility, weight = random.normal(0, 0.3, 6), random.uniform(0.05, 0.6, 6), random.random(6)
        order = random.permutation(6)
        codes = codes_of(drift, volatility, weight)
        np.testing.assert_array_equal(
            codes_of(*(x[order] for x in (drift, volatility, weight))), codes[order]
        )
        np.testing.assert_array_equal(codes_of(7 * drift, 7 * volatility, weight), codes)

    def test_add_up(self) -> None:
        found = by_name(np.array([[0.2, 0.3, 0.5]]), np.array([2, 0, 2]))
        np.testing.assert_allclose(found, [[0.3, 0.0, 0.7, 0.0]])

    def test_each_has_its_strategies(self) -> None:
        from windtunnel_plugins import strategies

        known = {getattr(strategies, name).name for name in strategies.__all__}
        assert tuple(RECOMMENDED) == NAMES
        assert {name for names in RECOMMENDED.values() for name in names} <= known


@given(
    st.lists(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), min_size=1, max_size=40),
    st.integers(1, 6),
)
def test_the_regime_that_stands_is_the_likeliest(rows: list[list[float]], dwell: int) -> None:
    raw = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    held = standing(raw, dwell)
    np.testing.assert_allclose(np.sort(held, axis=1), np.sort(raw, axis=1))
    codes = held.argmax(axis=1)
    if (np.diff(np.sort(raw, axis=1), axis=1) > 1e-9).all():
        changes = np.flatnonzero(np.diff(codes)) + 1
        assert all(later - earlier >= dwell for earlier, later in pairwise([0, *changes]))
    same = codes == raw.argmax(axis=1)
    np.testing.assert_array_equal(held[same], raw[same])


class TestHiddenMarkov:
    def test_filter_knows_the_past_alone(self) -> None:
        found = filtered(VALUES, *CHAIN)
        for bar in range(len(VALUES)):
            np.testing.assert_allclose(found[bar], by_enumeration(VALUES[: bar + 1])[0][-1])

    def test_expectation_agrees_with_enumeration(self) -> None:
        posterior, likelihood = by_enumeration(VALUES)
        got, first, moves, sums = expectation(VALUES, np.arange(5) == 0, *CHAIN)
        assert got == pytest.approx(likelihood)
        np.testing.assert_allclose(first, posterior[0])
        np.testing.assert_allclose(sums, [posterior.T @ VALUES**power for power in (0, 1, 2)])
        np.testing.assert_allclose(moves.sum(axis=1), posterior[:-1].sum(axis=0))
        np.testing.assert_allclose(moves.sum(axis=0), posterior[1:].sum(axis=0))

    def test_sequences_are_apart(self) -> None:
        apart = [expectation(part, np.arange(len(part)) == 0, *CHAIN) for part in (VALUES[:2], VALUES[2:])]
        together = expectation(VALUES, np.isin(np.arange(5), (0, 2)), *CHAIN)
        for one, two, both in zip(*apart, together, strict=True):
            np.testing.assert_allclose(one + two, both)

    def test_learns_the_states_that_there_are(self) -> None:
        random = np.random.default_rng(5)
        state = np.cumsum(random.random(6000) < 0.02) % 2
        values = random.normal(np.array([1.0, -2.0])[state], np.array([1.0, 3.0])[state])
        chain = learn([values], 2, Prior(), restarts=4, steps=100, seed=0)
        order = np.argsort(chain.deviation)
        np.testing.assert_allclose(chain.mean[order], [1.0, -2.0], atol=0.2)
        np.testing.assert_allclose(chain.deviation[order], [1.0, 3.0], rtol=0.05)
        np.testing.assert_allclose(np.diag(chain.transitions), 0.98, atol=0.01)

    def test_a_state_that_nothing_is_in_does_no_harm(self) -> None:
        chain = learn([np.random.default_rng(1).choice([-1.0, 1.0], 200)], 6, Prior(), 3, 50, 0)
        assert all(np.isfinite(each).all() for each in (chain.mean, chain.deviation, chain.transitions))
        np.testing.assert_allclose(chain.transitions.sum(axis=1), 1)

    @pytest.mark.parametrize("model", [HiddenMarkov(restarts=4), GaussianMixture(), ChangePoints()], ids=str)
    def test_recognises_known_regimes_out_of_sample(self, model: RegimeModel) -> None:
        bars, true = paths(10, 2400, 120, 3)
        section = LearnedSection(use="", first=1200, refit=1200)
        told = answers(model, section, Market(bars), model.fit, model.predict, silent).codes[1200:]
        always = np.bincount(true[1200:].ravel()).max() / true[1200:].size
        assert (told == true[1200:]).mean() > always + 0.2


class TestPooling:
    def test_takes_symbols_alike_for_one(self) -> None:
        scales = Scales.learned(Market(paths(6, 2100, 60, 2)[0]))
        assert len(set(scales.panel(["S1", "S2", "S3", "S4", "S5", "S6"]).tolist())) == 1

    def test_gives_symbols_that_differ_their_own(self, panel: Panel) -> None:
        wide = np.array([0.005, 0.005, 0.03])
        returns = np.random.default_rng(0).normal(0, 1, (1100, 3)) * wide
        scales = Scales.learned(market(panel(100 * np.exp(np.cumsum(returns, axis=0)))))
        np.testing.assert_allclose(scales.panel("ABC"), wide, rtol=0.1)
        assert scales.other == pytest.approx(np.exp(np.log(wide).mean()), rel=0.1)

    def test_draws_no_more_than_asked(self) -> None:
        returns = np.random.default_rng(0).normal(size=(100, 5))
        assert [len(one) for one in pooled(returns, 250, 1)] == [100, 100]
        assert [len(one) for one in pooled(returns, 40, 1)] == [40]


class TestChangePoints:
    def test_agrees_with_the_plain_recursion(self) -> None:
        """Every run by its own values, weighted by the chance of a change at its beginning."""
        values, hazard, flat, shape = np.random.default_rng(2).normal(0, 1, 8), 0.1, 5.0, 2.0
        found = runs(values, hazard, flat, shape, 50, 0.1, 1.5)
        weights = {0: 1.0}
        for bar in range(len(values)):
            grown: dict[int, float] = {bar + 1: 0.0}
            for first, weight in weights.items():
                past = values[first:bar]
                kappa, alpha = flat + len(past), shape + len(past) / 2
                mean = past.sum() / kappa
                beta = shape + 0.5 * ((past**2).sum() - kappa * mean**2)
                spread = np.sqrt(beta * (kappa + 1) / (alpha * kappa))
                share = weight * stats.t.pdf(values[bar], 2 * alpha, mean, spread)
                grown[first] = share * (1 - hazard)
                grown[bar + 1] += share * hazard
            total = sum(grown.values())
            weights = {first: weight / total for first, weight in grown.items()}
            means = {first: values[first : bar + 1].sum() / (flat + bar + 1 - first) for first in weights}
            expected = sum(weight * means[first] for first, weight in weights.items())
            assert found[bar, 3] == pytest.approx(expected, abs=1e-5)

    def test_a_run_longer_than_the_longest_stays_what_it_is(self) -> None:
        values = np.random.default_rng(3).normal(0.05, 1, 3000)
        values[1500:] *= 1.3
        found = runs(values, 1e-6, 50.0, 2.0, 100, 0.1, 1.5)
        assert np.sqrt(found[1400:1500, 4].mean()) == pytest.approx(1.0, rel=0.1)
        assert np.sqrt(found[2500:, 4].mean()) == pytest.approx(1.3, rel=0.1)

    def test_notices_a_burst_within_days(self, panel: Panel) -> None:
        returns = np.random.default_rng(4).normal(0, 0.005, 600)
        returns[500:] *= 5
        bars = panel(100 * np.exp(np.cumsum(returns)))
        model = ChangePoints()
        codes = model.predict(market(bars), model.fit(market(bars).until(450))).codes[:, 0]
        wild = NAMES.index("high_volatility")
        assert (codes[450:500] != wild).all()
        assert (codes[510:] == wild).mean() > 0.95


def test_bear_markets_by_hand() -> None:
    close = np.array([100, 95, 110, 105, 88, 70, 80, 84, 100, 79.0])
    up, down = NAMES.index("trending_bullish"), NAMES.index("trending_bearish")
    expected = [-1, -1, -1, -1, down, down, down, up, up, down]
    np.testing.assert_array_equal(_turns(close, 0.2, 0.2), expected)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
class TestEveryModel:
    def test_says_nothing_before_it_can_learn(self, model: RegimeModel, panel: Panel) -> None:
        for close in (np.linspace(10, 11, 20), np.full(300, 7.0), np.full((300, 2), np.nan)):
            bars = panel(close)
            state = model.fit(market(bars))
            assert state is None
            regimes = model.predict(market(bars), state)
            assert np.isnan(regimes.probabilities).all()
            regimes.check(bars.shape)

    def test_survives_prices_that_stop_moving(self, model: RegimeModel, panel: Panel) -> None:
        returns = np.random.default_rng(6).normal(0, 0.01, 500)
        returns[250:] = 0
        bars = panel(100 * np.exp(np.cumsum(returns)))
        model.predict(market(bars), model.fit(market(bars))).check(bars.shape)

    def test_answers_from_the_past_alone(self, model: RegimeModel, rough: Bars) -> None:
        whole = market(rough)
        state = model.fit(whole.until(250))
        assert state is not None
        answer = model.predict(whole, state)
        answer.check(rough.shape)
        for stop in (260, 333):
            early = model.predict(market(rough.cut(0, stop)), state)
            np.testing.assert_array_equal(early.probabilities, answer.probabilities[:stop])
            for name, evidence in early.evidence.items():
                np.testing.assert_array_equal(evidence, answer.evidence[name][:stop])

    def test_speaks_where_there_are_bars_only(self, model: RegimeModel, rough: Bars) -> None:
        whole = market(rough)
        regimes = model.predict(whole, model.fit(whole))
        assert regimes.names == NAMES
        known = ~np.isnan(regimes.probabilities).any(axis=2)
        assert known.any()
        assert not known[~rough.present].any()
        assert not known[: model.warmup, 0].any()
        if not isinstance(model, BearMarket):
            assert known[model.warmup :, 0].all()

    def test_gaps_change_nothing(self, model: RegimeModel, rough: Bars) -> None:
        gappy = rough.select([rough.symbols[1]])
        own = np.flatnonzero(gappy.present[:, 0])
        fields = ("open", "high", "low", "close", "volume")
        closed = Bars(
            rough.time[: len(own)],
            gappy.symbols,
            *(np.asfortranarray(getattr(gappy, name)[own]) for name in fields),
            np.array([len(own) - 1]),
        )
        with_gaps, without = (model.predict(market(b), model.fit(market(b))) for b in (gappy, closed))
        np.testing.assert_array_equal(with_gaps.probabilities[own], without.probabilities)

    def test_learns_the_same_twice(self, model: RegimeModel, rough: Bars) -> None:
        one, two = model.fit(market(rough)), model.fit(market(rough))
        assert one is not None
        assert two is not None
        assert one.keys() == two.keys()
        for key, value in one.items():
            np.testing.assert_array_equal(value, two[key], err_msg=key)

    def test_keeps_arrays_and_scalars_only(self, model: RegimeModel, rough: Bars) -> None:
        state = model.fit(market(rough))
        assert state is not None
        for value in state.values():
            each = value.values() if isinstance(value, dict) else [value]
            assert all(isinstance(one, (np.ndarray, float)) for one in each)


def result(bars: Bars, told: list[str], truth: list[str] | None) -> SimpleNamespace:
    probabilities = np.array([[[float(name == label) for name in NAMES]] for label in told])
    probabilities[np.array(told) == ""] = np.nan
    labels = {} if truth is None else {"regimes": pd.DataFrame({"A": truth}, pd.DatetimeIndex(bars.time))}
    return SimpleNamespace(
        bars=replace(bars, periods_per_year=252.0),
        decision=SimpleNamespace(regimes=Regimes(NAMES, probabilities)),
        truth=labels,
    )


UP, DOWN, FLAT = NAMES[:3]
TRUE = [UP] * 4 + [DOWN] * 4 + [FLAT] * 2
TOLD = ["", "", UP, UP, UP, UP, DOWN, DOWN, DOWN, DOWN]


class TestReport:
    def test_counts_what_was_called_what(self, panel: Panel) -> None:
        chart = charts.confusion(result(panel(np.arange(10) + 1.0), TOLD, TRUE))
        assert isinstance(chart, Chart)
        assert "right on 50% of 8 bars; always saying trending_bearish would be on 50%" in chart.title
        assert chart.data[0]["z"][1] == [0.5, 0.5, 0.0, 0.0]
        assert chart.data[0]["z"][3] == [None] * 4

    def test_counts_bars_until_a_change_is_recognised(self, panel: Panel) -> None:
        chart = charts.delay(result(panel(np.arange(10) + 1.0), TOLD, TRUE))
        assert isinstance(chart, Chart)
        assert (
            "Of 2 changes of regime 50% were recognised before the next, half of these within 2"
            in chart.title
        )
        assert chart.data[0]["x"] == [2.0]

    def test_says_what_followed_beside_all_bars(self, panel: Panel) -> None:
        close = 100 * np.exp(0.01 * np.cumsum([0, 1, 1, 1, 1, -1, -1, -1, -1, -1]))
        chart = charts.durations(result(panel(close), [UP] * 4 + [DOWN] * 6, None))
        assert isinstance(chart, Chart)
        assert chart.data[0]["x"] == [UP, DOWN, "all bars"]
        np.testing.assert_allclose(chart.data[0]["y"], [2.52, -2.52, -0.28], rtol=1e-5)
        assert "trending_bullish 4, trending_bearish 6" in chart.title

    @pytest.mark.parametrize("draw", [charts.confusion, charts.delay, charts.durations])
    def test_says_what_is_missing(self, draw: Callable[..., Chart | str], panel: Panel) -> None:
        bars = panel(np.arange(10) + 1.0)
        silent_model = result(bars, [""] * 10, TRUE)
        assert draw(silent_model) == "Regimes: the model abstained on every bar."
        silent_model.decision.regimes = None
        assert draw(silent_model) == "Regimes: the experiment names none."
        if draw is not charts.durations:
            assert "synthetic" in draw(result(bars, TOLD, None))
