"""Choosing among strategies: each step by hand, and the whole against what it must not know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from pydantic import ValidationError

import windtunnel as wt
from windtunnel import experiment
from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.errors import ConfigError, PluginError
from windtunnel.features import NAMES
from windtunnel.market import Market
from windtunnel.pipeline import Candidate, Part
from windtunnel.pipeline.decide import decide
from windtunnel.pipeline.sections import StrategySection
from windtunnel.plugin import Strategy
from windtunnel.reporting.charts.ranking import ranking as draw
from windtunnel.values import Evaluation, Orders, Regimes, Rules
from windtunnel.values.ranking import RankedOrders, Ranking
from windtunnel_plugins.strategies import BollingerRsi, BuyAndHold, Recommended, SmaCross
from windtunnel_plugins.strategies._conditions import Conditions, decisions, outcomes
from windtunnel_plugins.strategies._expectation import (
    Expectation,
    expect,
    fit_forest,
    fit_table,
    influences,
)
from windtunnel_plugins.strategies._following import follow, held, labels, latest_decision, reasons, spread

RULES = Rules(fees=0.0005)
SMALL = Recommended(candidates=(BuyAndHold(), SmaCross(short=True)), trees=5, least=20)


def walk(rows: int, symbols: int = 1, seed: int = 3) -> Bars:
    """Calm rises and wild falls in turn, each 100 bars long."""
    noise = np.random.default_rng(seed).standard_normal((rows, symbols))
    wild = (np.arange(rows)[:, None] // 100 + np.arange(symbols)) % 2 == 1
    steps = np.where(wild, -0.003 + 0.02 * noise, 0.002 + 0.005 * noise)
    return from_closes(100 * np.exp(np.cumsum(steps, axis=0)))


def from_closes(closes: np.ndarray) -> Bars:
    time = np.datetime64("2010-01-01", "ns") + np.arange(len(closes)) * np.timedelta64(1, "D")
    return Bars.from_arrays(time, closes, symbols=[f"S{n}" for n in range(closes.shape[1])])


def evaluator(market: Market) -> Callable[..., Evaluation]:
    def evaluate(trial: Strategy, part: Market = market) -> Evaluation:
        return Evaluation({}, simulate(part.bars, Orders(trial.exposure(part)), RULES).returns)

    return evaluate


def decided(bars: Bars, strategy: Recommended = SMALL, first: int = 600) -> RankedOrders:
    section = StrategySection(use="recommended", first=first, refit=200)
    wanted = decide(Market(bars), Candidate(Part(strategy, section), RULES)).wanted
    assert isinstance(wanted, RankedOrders)
    return wanted


def test_decisions_count_a_symbols_own_bars() -> None:
    closes = np.full((8, 2), 5.0)
    closes[[0, 3], 1] = np.nan
    bar, symbol = decisions(Market(from_closes(closes)), every=2, warmup=1)
    assert bar.tolist() == [1, 3, 5, 7, 2, 5, 7]
    assert symbol.tolist() == [0, 0, 0, 0, 1, 1, 1]


def test_an_outcome_sums_what_follows_and_is_known_only_inside_the_market() -> None:
    earned = {
        "buy_and_hold": [0.0, 0.1, 0.2, -0.1, 0.3, 0.5],
        "sma_cross": [0.0, 0.0, -0.1, -0.1, 0.1, 0.0],
    }

    def evaluate(trial: Strategy, part: Market) -> Evaluation:
        assert part.symbols == ("S0",)
        return Evaluation({}, np.array(earned[trial.name]))

    market = Market(from_closes(np.full((6, 1), 5.0)))
    bar = np.array([0, 2, 3, 4])
    found = outcomes(market, (BuyAndHold(), SmaCross()), evaluate, 2, bar, np.zeros(4, np.int64))
    assert found.known.tolist() == [True, True, True, False]
    np.testing.assert_allclose(found.returns[:3], [[0.3, -0.1], [0.2, 0.0], [0.8, 0.1]])


def test_what_is_followed_changes_for_more_than_the_margin() -> None:
    expected = np.array(
        [[np.nan, np.nan], [0.01, 0.02], [0.025, 0.02], [0.04, 0.02], [np.nan, 0.9], [0.0, 0.1], [0.2, 0.1]]
    )
    symbol = np.array([0, 0, 0, 0, 0, 1, 1])
    assert follow(expected, symbol, margin=0.01).tolist() == [-1, 1, 1, 0, 0, 1, 0]
    assert follow(expected, symbol, margin=0.0).tolist() == [-1, 1, 0, 0, 0, 1, 0]


def test_a_change_takes_over_what_the_new_candidate_last_asked_for() -> None:
    nan = np.nan
    one, two = (
        np.array([values]).T for values in ([1.0, nan, nan, 0.0, 1.0, nan], [nan, -1, nan, nan, nan, 0.5])
    )
    chosen = np.array([[-1, 0, 1, 1, 0, 0]]).T
    present = np.array([[True, True, True, True, True, False]]).T
    got = held((Orders(one), Orders(two)), chosen, present)
    np.testing.assert_equal(got["exposure"][:, 0], [0.0, 1.0, -1.0, nan, 1.0, nan])


def test_stops_go_with_the_candidate_that_sets_them() -> None:
    exposure, stop = np.ones((3, 1)), np.full((3, 1), 90.0)
    chosen = np.array([[0], [1], [0]])
    got = held((Orders(exposure, exit_stop=stop), Orders(exposure)), chosen, np.ones((3, 1), bool))
    np.testing.assert_equal(got["exit_stop"][:, 0], [90.0, np.nan, 90.0])


def test_candidates_that_mean_different_things_by_a_number_are_refused() -> None:
    class Units(Strategy):
        """Ten units."""

        name = "recommended_units"

        def exposure(self, market: Market) -> Orders:
            return Orders(np.full(market.shape, 10.0), "units")

    strategy = Recommended(candidates=(BuyAndHold(), Units()))
    with pytest.raises(wt.WindtunnelError, match="candidates: must all mean the same"):
        strategy.exposure(Market(walk(20)), None)


def by_regime() -> tuple[Conditions, np.ndarray]:
    share = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.5, 0.5], [np.nan, np.nan]])
    now = Conditions(
        ("regime up", "regime down", "held 0"), np.column_stack([share, np.ones(5)]), np.full(5, 0.01)
    )
    return now, np.array([[0.02, 0.0], [0.04, -0.02], [-0.03, 0.01], [0.0, 0.0], [9.0, 9.0]])


def test_the_table_is_the_weighted_mean_in_each_regime() -> None:
    now, returns = by_regime()
    state = fit_table(now, returns, ahead=4)
    assert state is not None
    hoped = expect(now, state, ahead=4)
    up = np.array([0.06, -0.02]) / 2.5
    down = np.array([-0.03, 0.01]) / 1.5
    np.testing.assert_allclose(hoped.expected[:4], [up, up, down, (up + down) / 2])
    np.testing.assert_allclose(hoped.probability[0], [(1 + 1 + 0.25) / 2.5, 0.25 / 2.5])
    np.testing.assert_allclose(hoped.risk[0], [0.0, 1 / 2.5])
    assert np.isnan(hoped.expected[4]).all()


def test_a_regime_never_seen_takes_the_mean_over_all() -> None:
    now, returns = by_regime()
    some = Conditions(now.names, now.values[:2], now.scale[:2])
    state = fit_table(some, returns[:2], ahead=1)
    assert state is not None
    np.testing.assert_allclose(state["table"][1], state["table"][0])
    nothing = Conditions(now.names, now.values[4:], now.scale[4:])
    assert fit_table(nothing, returns[4:], ahead=1) is None


def test_a_table_without_regimes_says_what_is_missing() -> None:
    market = Market(walk(800))
    with pytest.raises(PluginError, match="configure regime"):
        Recommended(method="table").fit(market, evaluator(market))


def told_apart(rows: int = 2000) -> tuple[Conditions, np.ndarray]:
    """The first condition decides which of two is best; the second says nothing."""
    random = np.random.default_rng(0)
    values = random.standard_normal((rows, 2))
    first = np.where(values[:, 0] > 0, 0.05, -0.05) + 0.01 * random.standard_normal(rows)
    return Conditions(("a", "b"), values, np.full(rows, 0.01)), np.column_stack([first, -first])


def test_the_forest_finds_what_decides() -> None:
    now, returns = told_apart()
    state = fit_forest(now, returns, 21, trees=20, leaf=0.02, seed=0)
    asked = Conditions(now.names, np.array([[1.0, 0.0], [-1.0, 0.0]]), np.array([0.01, 0.02]))
    hoped = expect(asked, state, 21)
    np.testing.assert_allclose(hoped.expected, [[0.05, -0.05], [-0.1, 0.1]], atol=0.01)
    np.testing.assert_allclose(hoped.probability, [[1, 0], [0, 1]], atol=0.1)
    np.testing.assert_allclose(hoped.risk, [[0, 1], [1, 0]], atol=0.1)


def test_influences_add_up_to_the_expectation() -> None:
    now, returns = told_apart(500)
    state = fit_forest(now, returns, 21, trees=10, leaf=0.02, seed=1)
    rows, candidate = np.array([3, 10, 44]), np.array([0, 1, 0])
    moved = influences(now, state, rows, candidate)
    expected = expect(now, state, 21).expected[rows, candidate] / (0.01 * np.sqrt(21))
    roots = [np.mean([one.tree_.value[0, k, 0] for one in state["forest"].estimators_]) for k in candidate]
    np.testing.assert_allclose(moved.sum(axis=1), expected - roots, atol=1e-12)
    assert (np.abs(moved[:, 0]) > 5 * np.abs(moved[:, 1])).all()


def test_other_conditions_than_those_learned_from_are_refused() -> None:
    now, returns = told_apart(200)
    state = fit_forest(now, returns, 21, trees=2, leaf=0.1, seed=0)
    with pytest.raises(PluginError, match=r"learned from a, b \(got b, a\)"):
        expect(replace(now, names=("b", "a")), state, 21)


def test_the_reason_names_regime_and_what_counted() -> None:
    now = Conditions(
        ("rsi_14", "regime up", "regime down"), np.array([[-0.5, 0.2, 0.8]] * 2), np.full(2, 0.01)
    )
    hoped = Expectation(np.array([[0.01, -0.02]] * 2), np.full((2, 2), 0.5), np.full((2, 2), 0.5))
    table = {"names": np.array(now.names), "table": np.zeros((2, 6))}
    said = reasons(now, hoped, table, np.array([0, 1]), np.array([0, 1]), 3, ("one", "two"))
    assert said == (
        "Follows one: +1.0% expected; down at 80%.",
        "Follows two: −2.0% expected; down at 80%.",
        "",
    )


def test_bars_have_what_the_last_decision_said() -> None:
    at = np.array([1, 3, 2]), np.array([0, 0, 1])
    latest = latest_decision(at, (5, 2))
    assert latest.T.tolist() == [[-1, 0, 0, 1, 1], [-1, -1, 2, 2, 2]]
    np.testing.assert_equal(
        spread(np.array([[7.0], [8.0], [9.0]]), latest)[:, 1, 0], [np.nan, np.nan, 9, 9, 9]
    )


def test_labels_say_what_differs() -> None:
    assert labels((BuyAndHold(), SmaCross(short=True))) == ("buy_and_hold", "sma_cross(short=True)")
    assert labels((SmaCross(), SmaCross(fast=5)))[0] == "sma_cross(fast=10, slow=50, short=False)"


def test_it_follows_the_one_that_suits_the_regime() -> None:
    bars = walk(2400, 2)
    wanted = decided(bars, SMALL.model_copy(update={"trees": 20}), first=1200)
    late, wild = wanted.ranking.chosen[1200:], (np.arange(1200, 2400)[:, None] // 100 + np.arange(2)) % 2 == 1
    assert (late[wild] == 1).mean() > 0.7
    assert (late[~wild] == 0).mean() > 2 * (late[wild] == 0).mean()
    accounts = [simulate(bars, one, RULES) for one in (wanted, *wanted.ranking.wanted)]
    followed, hold, cross = (float(np.log(one.equity[-1] / one.equity[1200])) for one in accounts)
    assert followed > 0.9 * max(hold, cross) > 2 * min(hold, cross)


def test_nothing_depends_on_what_comes_later() -> None:
    bars = walk(1100, 2)
    whole = decided(bars)
    later = np.array(bars.close)
    later[900:] *= 1.7
    for other in (decided(bars.cut(0, 900)), decided(from_closes(later))):
        np.testing.assert_array_equal(other.exposure[:900], whole.exposure[:900])
        np.testing.assert_array_equal(other.ranking.expected[:900], whole.ranking.expected[:900])
    assert (whole.exposure[:600] == 0).all()
    assert (whole.ranking.chosen[600:] >= 0).all()


def test_gaps_change_nothing_on_a_symbols_own_bars() -> None:
    closes = np.array(walk(900).close)
    gaps = np.zeros(1000, bool)
    gaps[np.random.default_rng(1).choice(np.arange(1, 999), 100, replace=False)] = True
    spaced = np.full((1000, 2), np.nan)
    spaced[~gaps, 0] = closes[:, 0]
    spaced[:, 1] = np.linspace(50, 60, 1000)
    alone, among = Market(from_closes(closes)), Market(from_closes(spaced))
    state = SMALL.fit(alone, evaluator(alone))
    one = SMALL.exposure(alone, state)
    other = SMALL.exposure(among, state)
    np.testing.assert_array_equal(other.exposure[~gaps, 0], one.exposure[:, 0])
    assert np.isnan(other.exposure[gaps, 0]).all()
    again = SMALL.fit(among.select(["S0"]), evaluator(among.select(["S0"])))
    np.testing.assert_allclose(SMALL.rank(alone, again).expected, SMALL.rank(alone, state).expected)


def test_a_fit_gives_the_same_bits_again() -> None:
    market = Market(walk(900))
    one, other = (SMALL.rank(market, SMALL.fit(market, evaluator(market))) for _ in range(2))
    np.testing.assert_array_equal(one.expected, other.expected)
    assert one.reasons == other.reasons
    assert one.reasons[0].startswith("Follows ")


@pytest.mark.parametrize("closes", [np.full((900, 1), 5.0), walk(300).close], ids=["constant", "short"])
def test_with_nothing_to_learn_from_it_stays_flat(closes: np.ndarray) -> None:
    market = Market(from_closes(np.array(closes)))
    assert SMALL.fit(market, evaluator(market)) is None
    orders = SMALL.exposure(market, None)
    assert (orders.exposure == 0).all()
    assert (orders.ranking.chosen == -1).all()
    assert orders.ranking.at(0) == ()


def test_prices_that_stop_moving_keep_what_is_followed() -> None:
    bars = walk(900)
    still = np.array(bars.close)
    still[700:] = still[700]
    market = Market(bars)
    ranking = SMALL.rank(Market(from_closes(still)), SMALL.fit(market, evaluator(market)))
    assert np.isnan(ranking.expected[740:]).all()
    assert (ranking.chosen[740:] == ranking.chosen[740]).all()
    assert ranking.chosen[740, 0] >= 0
    assert ranking.reasons == ("",)


def test_equal_candidates_share_the_first_place() -> None:
    market = Market(walk(900))
    strategy = SMALL.model_copy(update={"candidates": (BuyAndHold(), BuyAndHold())})
    ranking = strategy.rank(market, strategy.fit(market, evaluator(market)))
    known = ranking.probability[~np.isnan(ranking.probability)]
    np.testing.assert_allclose(known, 0.5)
    assert set(ranking.chosen[ranking.chosen >= 0]) == {0}


def test_the_best_comes_first_and_one_is_chosen() -> None:
    market = Market(walk(900))
    ranking = SMALL.rank(market, SMALL.fit(market, evaluator(market)))
    listed = ranking.at(0)
    assert [one.expected for one in listed] == sorted((one.expected for one in listed), reverse=True)
    assert sum(one.chosen for one in listed) == 1
    assert sum(one.probability for one in listed) == pytest.approx(1)
    assert all(0 <= one.risk <= 1 for one in listed)


def test_a_ranking_survives_cutting_and_joining() -> None:
    market = Market(walk(900, 2))
    orders = SMALL.exposure(market, SMALL.fit(market, evaluator(market)))
    joined = RankedOrders.join([orders.cut(0, 400), orders.cut(400, 900)])
    assert isinstance(joined.ranking, Ranking)
    for name in ("chosen", "expected", "probability", "risk"):
        np.testing.assert_array_equal(getattr(joined.ranking, name), getattr(orders.ranking, name))
    assert joined.ranking.reasons == orders.ranking.reasons != ("", "")
    assert orders.cut(0, 400).ranking.reasons == ("", "")
    np.testing.assert_array_equal(joined.ranking.wanted[1].exposure, orders.ranking.wanted[1].exposure)
    turned = orders.of_columns([1, 0]).ranking
    np.testing.assert_array_equal(turned.chosen, orders.ranking.chosen[:, ::-1])
    assert turned.reasons == orders.ranking.reasons[::-1]
    assert (orders.abstaining(7).ranking.chosen == -1).all()


def test_regimes_are_a_condition() -> None:
    market = Market(walk(900))
    calm = (np.arange(900) // 100 % 2 == 0).astype(float)[:, None]
    market = market.having(regime=Regimes(("calm", "wild"), np.stack([calm, 1 - calm], axis=2)))
    for method in ("forest", "table"):
        strategy = SMALL.model_copy(update={"method": method})
        state = strategy.fit(market, evaluator(market))
        assert {"regime calm", "regime wild"} <= set(state["names"].tolist())
        assert "at 100%" in strategy.rank(market, state).reasons[0]
        with pytest.raises(PluginError):
            strategy.rank(Market(market.bars), state)


def test_candidates_are_written_by_name() -> None:
    params = {"candidates": [{"use": "sma_cross", "params": {"short": True}}, {"use": "bollinger_rsi"}]}
    config = {
        "data": {"use": "arch", "symbols": ["SP500"]},
        "strategy": {"use": "recommended", "params": params},
    }
    loaded = experiment.from_mapping(config)
    assert loaded.strategy == Recommended(candidates=(SmaCross(short=True), BollingerRsi()))
    params["candidates"][1]["use"] = "bolinger_rsi"
    with pytest.raises(ConfigError, match="bollinger_rsi"):
        experiment.from_mapping(config)


def test_wrong_parameters_are_refused() -> None:
    with pytest.raises(ValidationError, match="must be names of features; did you mean momentum_21"):
        Recommended(features=("rsi_14", "momentum_2l"))
    with pytest.raises(ValidationError, match="at least 2"):
        Recommended(candidates=(BuyAndHold(),))
    assert set(Recommended().features) <= set(NAMES)
    assert Recommended(candidates=(SmaCross(slow=400), BuyAndHold())).warmup == 399


def test_the_chart_says_what_each_made() -> None:
    result = wt.backtest(walk(1000), SMALL, rules=RULES)
    chart = draw(result)
    assert not isinstance(chart, str)
    assert [trace["name"] for trace in chart.data[:-1]] == [
        "buy_and_hold",
        "sma_cross(short=True)",
        "random choice",
        "followed",
    ]
    assert chart.data[-1]["type"] == "heatmap"
    first = int(np.flatnonzero(result.decision.wanted.ranking.chosen[:, 0] >= 0)[0])
    grown = result.simulation.equity[-1] / result.simulation.equity[first] - 1
    assert chart.data[-2]["y"][-1] == pytest.approx(grown, rel=1e-4)
    mean = np.mean([np.diff(np.log1p(np.array(trace["y"]))) for trace in chart.data[:2]], axis=0)
    assert len(mean) == len(chart.data[2]["y"]) - 1
    assert "random choice" in chart.title
    assert draw(wt.backtest(walk(100), BuyAndHold())).startswith("Choice of strategies:")
