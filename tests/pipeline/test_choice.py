"""The best of a sweep: who stands beside it, and what they make of it."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest

from windtunnel import Bars, Rules, load_bars
from windtunnel.errors import InvalidValueError
from windtunnel.pipeline import Candidate, Part, Space, Sweep, choose, combination, run, run_best, sweep
from windtunnel.pipeline.choice import Choice, why_left_out
from windtunnel.pipeline.grid import Grid
from windtunnel.pipeline.sections import StrategySection
from windtunnel.pipeline.tuned_values import tuned_values
from windtunnel_plugins.strategies import Momentum, SmaCross

RULES = Rules(fees=0.001)


@pytest.fixture(scope="module")
def bars():
    return load_bars("arch", symbols=["SP500"], start="2014")


def candidate(rules=RULES):
    return Candidate(Part(SmaCross(), StrategySection(use="sma_cross")), rules)


def made(space, sharpes, strategy=SmaCross):
    """Return a sweep of all combinations whose Sharpe ratios are given; NaN is illegal."""
    built = Space.of(strategy, space, RULES)
    rules = built.rules.rows
    sharpes = np.asarray(sharpes, float).ravel()
    rows = np.flatnonzero(~np.isnan(sharpes))
    values = np.tile([0.1, 0.0, -0.2, 7.0, 0.5], (len(rows), 1))
    values[:, 1] = sharpes[rows]
    return Sweep(built, rows // rules, rows % rules, values, len(sharpes) - len(rows))


def test_neighbours_are_those_at_most_one_place_away_in_each_dimension(bars):
    space = {
        "fast": [8, 2, 5, 3, 40],
        "slow": [60, 10, 30, 20],
        "short": [True, False],
        "backtest.stop_loss": [0.1, None, 0.02, 0.05],
    }
    found = sweep(bars, candidate(), Space.of(SmaCross, space, RULES))
    assert found.illegal > 0
    grid, table = Grid(found), found.frame
    order = {name: sorted(v for v in given if v is not None) for name, given in space.items()}

    def near(name, one, other):
        if name == "short" or one is None or other is None:
            return one == other
        return abs(order[name].index(one) - order[name].index(other)) <= 1

    points = [
        tuple(None if value != value else value for value in row)
        for row in table[list(space)].itertuples(index=False)
    ]
    for row in range(0, len(points), 7):
        expected = [
            other != row and all(map(near, space, points[row], points[other])) for other in range(len(points))
        ]
        assert grid.around(row).tolist() == expected, points[row]
        assert tuple(grid.values(row).values()) == points[row]


def test_a_list_of_points_has_neighbours_too():
    points = [{"fast": fast, "slow": slow} for fast, slow in [(2, 9), (3, 9), (5, 9), (5, 30)]]
    built = Space.of(SmaCross, points, RULES)
    values = np.tile([0.1, 0.5, -0.2, 7.0, 0.5], (4, 1))
    grid = Grid(Sweep(built, np.arange(4), np.arange(4), values, 0))
    assert grid.around(1).tolist() == [True, False, True, True]
    assert grid.around(0).tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("around", "standing", "words"),
    [
        (0.9, "plateau", "Its neighbours average 0.90 of its 1.00: a plateau, not a lone spike."),
        (0.5, "plateau", "Its neighbours average 0.50 of its 1.00: a plateau, not a lone spike."),
        (0.4999, "lone spike", "Its neighbours average 0.50 of its 1.00: a lone spike, as luck makes them."),
        (-0.2, "lone spike", "Its neighbours average −0.20 of its 1.00: a lone spike, as luck makes them."),
    ],
)
def test_below_half_of_the_best_its_neighbours_make_it_a_spike(around, standing, words):
    surface = np.full((5, 5), around)
    surface[2, 2] = 1.0
    choice = choose(made({"fast": range(2, 7), "slow": range(10, 15)}, surface), "sharpe")
    assert (choice.standing, choice.sentence) == (standing, words)
    assert (choice.parameters, choice.neighbours) == ({"fast": 4, "slow": 12}, 8)
    assert choice.around == pytest.approx(around)


def test_where_nothing_is_positive_a_half_says_nothing():
    surface = np.full((3, 3), -0.6)
    surface[1, 1] = -0.4
    choice = choose(made({"fast": range(2, 5), "slow": range(10, 13)}, surface), "sharpe")
    assert choice.standing == "undecided"
    assert choice.sentence == "Its neighbours average −0.60, it has −0.40."


def test_illegal_neighbours_do_not_count():
    surface = np.full((3, 3), np.nan)
    surface[1, 1], surface[0, 0] = 1.0, 0.3
    choice = choose(made({"fast": range(2, 5), "slow": range(10, 13)}, surface), "sharpe")
    assert (choice.neighbours, choice.around) == (1, pytest.approx(0.3))


def test_without_neighbours_nothing_can_be_said():
    choice = choose(made({"short": [True, False]}, [0.1, 0.4]), "sharpe")
    assert choice.standing == "alone"
    assert math.isnan(choice.around)
    assert choice.sentence == "It has no neighbours in the grid to judge it by."


def test_at_the_edge_it_says_so_but_off_is_no_edge():
    space = {"fast": [2, 3, 4], "backtest.stop_loss": [None, 0.02, 0.05, 0.1]}
    surface = np.full((3, 4), 0.2)
    surface[2, 0] = 0.4
    choice = choose(made(space, surface), "sharpe")
    assert choice.parameters == {"fast": 4, "backtest.stop_loss": None}
    assert choice.edges == ("fast",)
    assert choice.sentence.endswith(
        "It stands at the edge of what was tried (fast): there may be better ones outside."
    )
    surface[1, 3] = 0.5
    assert choose(made(space, surface), "sharpe").edges == ("backtest.stop_loss",)


def test_it_says_why_combinations_were_left_out(bars):
    found = sweep(bars, candidate(), Space.of(SmaCross, {"fast": [2, 30], "slow": [20, 25, 40]}, RULES))
    assert found.illegal == 2
    assert why_left_out(found) == "fast must be less than slow"
    points = [{"fast": 2, "slow": 20}, {"fast": 30, "slow": 20}]
    assert why_left_out(sweep(bars, candidate(), Space.of(SmaCross, points, RULES))) == (
        "fast must be less than slow"
    )
    assert why_left_out(made({"fast": [2, 3]}, [1, 2])) == ""


def test_a_metric_that_no_combination_has(bars):
    found = made({"fast": [2, 3]}, [0.1, 0.2])
    found.values[:, 4] = np.nan
    with pytest.raises(InvalidValueError, match="must have a best combination"):
        choose(found, "win_rate")


@pytest.mark.parametrize("metric", ["sharpe", "total_return", "max_drawdown", "win_rate"])
def test_the_run_is_that_of_the_best_combination(bars, metric):
    space = {"fast": [5, 10, 20], "slow": [15, 40, 80], "backtest.stop_loss": [None, 0.03]}
    found = sweep(bars, candidate(), Space.of(SmaCross, space, RULES))
    choice = choose(found, metric)
    result = run_best(bars, candidate(), found, choice, benchmark="SP500", seed=3)
    assert result.metrics[metric] == pytest.approx(choice.value, rel=1e-9)
    every = []
    for fast, slow, stop in product(*space.values()):
        if fast < slow:
            alone = Candidate(
                Part(SmaCross(fast=fast, slow=slow), StrategySection(use="sma_cross")),
                Rules(fees=0.001, stop_loss=stop),
            )
            every.append(run(bars, alone).metrics[metric])
    assert choice.value == pytest.approx(max(every), rel=1e-9)
    params = combination(candidate(), found, choice).strategy.section.params
    assert params["fast"] == choice.parameters["fast"]


def test_the_sentence_says_that_it_was_chosen_and_claims_no_edge(bars):
    found = sweep(bars, candidate(), Space.of(SmaCross, {"fast": [5, 10, 20], "slow": [40, 80]}, RULES))
    choice = choose(found, "total_return")
    result = run_best(bars, candidate(), found, choice, benchmark="SP500")
    assert result.sweep is found
    assert result.choice is choice
    assert result.sentence.startswith(
        "It was chosen in sample as the best of 6 combinations by total return. After costs it "
    )
    assert "], which does not allow for the choice. " in result.sentence
    assert result.sentence.endswith(choice.sentence)
    without = run_best(bars, candidate(), found, choice)
    assert "There is no benchmark to compare with." in without.sentence


def test_one_that_beats_the_benchmark_shows_no_edge_either():
    time = np.datetime64("2010-01-01", "ns") + np.arange(600) * np.timedelta64(1, "D")
    steps = np.where(np.arange(600) // 30 % 2, 0.004, -0.004) + 0.001 * np.sin(np.arange(600.0))
    up = np.exp(np.cumsum(steps))
    bars = Bars.from_arrays(time, 100 * up, symbols=["WAVE"])
    free = Rules(fees=1e-6)
    found = sweep(bars, candidate(free), Space.of(SmaCross, {"fast": [2, 3, 4], "slow": [5, 6]}, free))
    result = run_best(bars, candidate(free), found, choose(found, "sharpe"), benchmark="WAVE")
    assert result.comparison.verdict == "beat"
    assert "which does not allow for the choice and so shows no edge." in result.sentence


def test_declared_ranges_become_at_most_twenty_values():
    found = tuned_values(Momentum)
    for name, given in found.items():
        assert 2 <= len(given) <= 20, name
        assert given == sorted(set(given))


def test_a_choice_shows_fractions_in_per_cent():
    assert Choice("max_drawdown", 0, {}, -0.123, 0, -0.2, ()).shown(-0.123) == "−12.3%"
    assert Choice("sharpe", 0, {}, 1.0, 0, 0.2, ()).shown(0.456) == "0.46"
