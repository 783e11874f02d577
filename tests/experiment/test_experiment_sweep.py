"""What a sweep may try, how it is written, and every mistake at its line before anything runs."""

from __future__ import annotations

from datetime import date
from typing import get_args

import pytest
import yaml

from windtunnel.engine.metrics import METRICS
from windtunnel.engine.sweep import SWEEP_METRICS
from windtunnel.errors import ConfigError
from windtunnel.experiment import from_mapping, load
from windtunnel.pipeline.sweep_section import Span, SweepSection

PLAIN = {"data": "files", "strategy": "cross"}


def values(host, space, **more):
    return dict(from_mapping({**PLAIN, "sweep": {"space": space}, **more}, host=host).space.values)


def refused(path, host):
    with pytest.raises(ConfigError) as caught:
        load(path, host=host)
    return str(caught.value)


def test_the_metrics_are_those_of_a_sweep_that_have_a_better_direction():
    better = [metric.name for metric in METRICS if metric.higher_is_better is not None]
    offered = get_args(SweepSection.model_fields["metric"].annotation)
    assert set(offered) == set(SWEEP_METRICS) & set(better)


@pytest.mark.parametrize(
    ("span", "points"),
    [
        ({"from": 2, "to": 5}, [2, 3, 4, 5]),
        ({"from": 10, "to": 21, "step": 5}, [10, 15, 20]),
        ({"from": 7, "to": 7}, [7]),
        ({"from": 0.1, "to": 0.3, "step": 0.1}, [0.1, 0.2, 0.3]),
        ({"from": 1, "to": 2, "step": 0.5}, [1.0, 1.5, 2.0]),
    ],
)
def test_both_ends_belong_to_a_span(span, points):
    made = Span.model_validate(span)
    assert (made.points, made.count) == (points, len(points))
    assert [type(point) for point in made.points] == [type(point) for point in points]


def test_values_by_dotted_paths(host):
    space = {
        "strategy.params.fast": {"from": 2, "to": 4},
        "backtest.stop_loss": [None, 0.05],
        "strategy.params.kind_of_mean": ["simple", "exponential"],
        "strategy.params.since": ["2008-09-15", None],
        "backtest.take_profit.atr": [1, 2.5],
    }
    assert values(host, space) == {
        "fast": [2, 3, 4],
        "backtest.stop_loss": [None, 0.05],
        "kind_of_mean": ["simple", "exponential"],
        "since": [date(2008, 9, 15), None],
        "backtest.take_profit.atr": [1, 2.5],
    }


def test_a_value_is_judged_by_its_own_field_whatever_the_other_parameters_are(host):
    """60 is above slow = 50, which some of the combinations will mend."""
    assert values(host, {"strategy.params.fast": [60], "strategy.params.slow": [50, 70]})["fast"] == [60]


def test_left_out_it_is_what_the_strategy_declares_at_most_twenty_values_each(host):
    found = from_mapping({**PLAIN, "sweep": {}}, host=host)
    space = found.space.values
    assert list(space) == ["fast", "slow"]
    assert all(len(given) == 20 and len(set(given)) == 20 for given in space.values())
    assert [(given[0], given[-1]) for given in space.values()] == [(5, 50), (20, 200)]
    written = found.resolved()["sweep"]
    assert written == {
        "space": {f"strategy.params.{name}": given for name, given in space.items()},
        "metric": "sharpe",
    }


def test_without_the_section_nothing_is_swept(host):
    assert from_mapping(PLAIN, host=host).space is None
    assert from_mapping({**PLAIN, "sweep": None}, host=host).space is None


@pytest.mark.parametrize("space", [None, {"strategy.params.fast": {"from": 2, "to": 9}}])
def test_what_is_resolved_loads_to_the_same(host, space):
    first = from_mapping({**PLAIN, "sweep": {"space": space}}, host=host)
    again = from_mapping(yaml.safe_load(first.resolved_yaml()), host=host)
    assert again.resolved() == first.resolved()
    assert again.space.values == first.space.values


SPACE = "data: files\nstrategy: cross\nsweep:\n  space:\n    strategy.params.fast: {from: 2, to: 9}\n"


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("sweep.space.strategy.params.fast=[3, 4]", {"fast": [3, 4]}),
        ("sweep.space.strategy.params.fast.to=3", {"fast": [2, 3]}),
        ("sweep.space.strategy.params.fast.step=3", {"fast": [2, 5, 8]}),
        (
            "sweep.space.backtest.stop_loss=[0.1]",
            {"fast": [2, 3, 4, 5, 6, 7, 8, 9], "backtest.stop_loss": [0.1]},
        ),
        ("sweep.space={strategy.params.slow: [60]}", {"slow": [60]}),
    ],
)
def test_set_reaches_into_the_space(host, write, assignment, expected):
    assert load(write(SPACE), [assignment], host=host).space.values == expected


def test_an_experiment_that_extends_another_changes_one_dimension(host, write):
    write(SPACE + "    strategy.params.slow: [60, 70]\n", "base.yaml")
    child = write("extends: base.yaml\nsweep: {space: {strategy.params.fast: {to: 3}}}")
    assert load(child, host=host).space.values == {"fast": [2, 3], "slow": [60, 70]}


def test_all_mistakes_come_at_once_each_at_its_line(host, write):
    path = write(
        """
        data: files
        strategy: {use: cross, params: {fsat: 3}}
        sweep:
          space:
            strategy.params.fats: [1]
            strategy.params.slow: {from: 2, to: 50, step: 4}
            backtest.stop_loss:
              - 0.1
              - 1.5
            backtest.fees: {from: 0.2, to: 0.1, step: 0.1}
          metric: trades
        """
    )
    assert refused(path, host).splitlines() == [
        "mine.yaml:2: strategy.params.fsat: unknown parameter of cross. Did you mean fast?",
        "    fast: int ≥ 2, searched 5 … 50, default 10 — Fast window, in bars.",
        "mine.yaml:5: sweep.space.strategy.params.fats: is neither a parameter of cross nor a rule of "
        "backtest. Did you mean strategy.params.fast?",
        "    fast: int ≥ 2, searched 5 … 50, default 10 — Fast window, in bars.",
        "mine.yaml:6: sweep.space.strategy.params.slow: must be at least 3 (got 2)",
        "mine.yaml:9: sweep.space.backtest.stop_loss: stop_loss must be less than 1, the whole price "
        "(got 1.5)",
        "mine.yaml:10: sweep.space.backtest.fees: from must be at most to (got from = 0.2, to = 0.1)",
        "mine.yaml:11: sweep.metric: must be one of sharpe, total_return, max_drawdown, win_rate "
        "(got 'trades')",
        "6 mistakes; nothing was run.",
    ]


MISTAKES = [
    ("{space: {}}", "space: must name a parameter, or be left out to try what the strategy declares"),
    ("{space: [1]}", "space: must be a mapping (got a list)"),
    ("{spcae: {}}", "spcae: unknown key. Did you mean space?"),
    ("{metric: sharp}", "metric: must be one of sharpe, total_return, max_drawdown, win_rate (got 'sharp'). "
     "Did you mean sharpe?"),
    ("{space: {strategy.params.fast: 3}}", "space.strategy.params.fast: must be a list (got 3)"),
    ("{space: {strategy.params.fast: []}}", "space.strategy.params.fast: must be a list of at least 1 "
     "(got an empty list)"),
    ("{space: {strategy.params.fast: [2, 2]}}", "space.strategy.params.fast: must name each value once "
     "(got 2 twice)"),
    ("{space: {strategy.params.fast: [2, 2.5]}}", "space.strategy.params.fast: must be a whole number "
     "(got 2.5)"),
    ("{space: {strategy.params.fast: [5, null]}}", "space.strategy.params.fast: must be a whole number "
     "(got null)"),
    ("{space: {strategy.params.fast: {form: 2, to: 3}}}", "space.strategy.params.fast.form: unknown key. "
     "Did you mean from?"),
    ("{space: {strategy.params.fast: {from: 2}}}", "space.strategy.params.fast.to: is required"),
    ("{space: {strategy.params.fast: {from: 2, to: 9, step: 0}}}", "space.strategy.params.fast.step: "
     "must be greater than 0 (got 0)"),
    ("{space: {backtest.fees: {from: 0, to: 0.1}}}", "space.backtest.fees: needs a step, for its ends are "
     "not whole numbers"),
    ("{space: {strategy.params.fast: {from: 2, to: 9, step: 0.5}}}", "space.strategy.params.fast: "
     "must be a whole number (got 2)"),
    ("{space: {strategy.params.kind_of_mean: [simpl]}}", "space.strategy.params.kind_of_mean: "
     "must be one of simple, exponential (got 'simpl'). Did you mean simple?"),
    ("{space: {strategy.params.since: [2008-02-30]}}", "space.strategy.params.since: must be a date such as "
     "2008-09-15 (got '2008-02-30')"),
    ("{space: {fast: [2]}}", "space.fast: is neither a parameter of cross nor a rule of backtest. "
     "Did you mean strategy.params.fast?"),
    ("{space: {backtest.stop_los: [0.1]}}", "space.backtest.stop_los: is neither a parameter of cross nor a "
     "rule of backtest. Did you mean backtest.stop_loss?"),
    ("{space: {backtest.stop_loss: [0.1], backtest.stop_loss.atr: [1]}}", "space.backtest.stop_loss.atr: "
     "cannot be tried beside backtest.stop_loss, which holds it"),
    ("{space: {backtest.stop_loss.atr: [-1]}}", "space.backtest.stop_loss.atr: must be greater than 0 "
     "(got -1)"),
    ("{space: {strategy.params.fast: {from: 2, to: 4001}, strategy.params.slow: {from: 3, to: 3002}}}",
     "space: must have at most 10,000,000 combinations (got 4,000 × 3,000 = 12,000,000)"),
    ("{space: {strategy.params.fast: {from: 2, to: 9000000000000000000}}}",
     "space: must have at most 10,000,000 combinations (got 8,999,999,999,999,999,999)"),
    ("{space: {backtest.fees: {from: 0, to: 1e300, step: 1e-300}}}",
     "space: must have at most 10,000,000 combinations (got 1,000,000,000,001)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_one_mistake_is_one_message(host, write, text, message):
    lines = refused(write(f"data: files\nstrategy: cross\nsweep: {text}"), host).splitlines()
    said = [line for line in lines if not line.startswith("    ")]
    assert said == [f"mine.yaml:3: sweep.{message}", "1 mistake; nothing was run."]


def test_a_path_that_resembles_nothing_is_told_what_there_is(host, write):
    text = refused(write("data: files\nstrategy: cross\nsweep: {space: {zzz: [5]}}"), host)
    assert "Known: strategy.params.fast, strategy.params.slow," in text
    assert ", and backtest. …" in text


def test_a_strategy_that_declares_no_range_needs_a_space(host, write):
    text = refused(
        write("data: files\nstrategy: {use: half, params: {inner: {use: cross}}}\nsweep: {}"), host
    )
    assert "mine.yaml:3: sweep: needs a space: half declares no range to search" in text


def test_a_mistake_on_the_command_line_names_its_key(host, write):
    with pytest.raises(ConfigError, match=r"--set: sweep\.space\.strategy\.params\.fast: must be at least 2"):
        load(write(SPACE), ["sweep.space.strategy.params.fast=[1, 2]"], host=host)
    with pytest.raises(ConfigError, match=r"sweep\.space\.strategy\.params\.fast\.step: must be greater"):
        load(write(SPACE), ["sweep.space.strategy.params.fast.step=-1"], host=host)


def test_a_validator_that_falls_over_is_a_mistake(host, write):
    text = refused(
        write("data: files\nstrategy: faulty\nsweep: {space: {strategy.params.divisor: [0, 1]}}"), host
    )
    assert "mine.yaml:3: sweep.space: could not be checked by faulty: ZeroDivisionError" in text
