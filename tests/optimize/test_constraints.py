"""Rules between parameters: what they mean, what they may not have, and that nothing of them is ever run."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.errors import InvalidValueError
from windtunnel.optimize.constraints import MOST_TEXT, Constraint

KNOWN = (
    "strategy.params.fast",
    "strategy.params.slow",
    "strategy.params.lambda",
    "patterns.0.params.width",
    "backtest.stop_loss",
    "backtest.take_profit",
    "regime.of",
    "sizing.equal",
)
BASE = {
    "strategy": {"params": {"fast": 10, "slow": 50, "lambda": 0.5}},
    "patterns": [{"params": {"width": 3}}],
    "backtest": {"stop_loss": None, "take_profit": 0.1},
    "regime": {"of": "symbol"},
    "sizing": {"equal": True},
}


def holds(text, **point):
    dotted = {f"strategy.params.{name}": value for name, value in point.items()}
    return Constraint.parse(text, KNOWN).holds(dotted, BASE)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("strategy.params.fast * 2 <= strategy.params.slow", True),
        ("strategy.params.fast * 5 < strategy.params.slow", False),
        ("strategy.params.fast * 5 == strategy.params.slow", True),
        ("0 < strategy.params.fast < 10", False),
        ("0 < strategy.params.fast <= 10 < strategy.params.slow", True),
        ("strategy.params.fast - 3 > 7 or strategy.params.fast + 3 > 12", True),
        ("strategy.params.fast > 9 and not strategy.params.slow > 50", True),
        ("(strategy.params.slow + 1) // 10 == 5 and strategy.params.slow % 7 == 1", True),
        ("strategy.params.slow / 4 == 12.5", True),
        ("strategy.params.fast ** 2 == 100", True),
        ("-strategy.params.fast == -10", True),
        ("min(strategy.params.fast, 3, 7) == 3 and max(strategy.params.fast, 30) == 30", True),
        ("abs(strategy.params.fast - strategy.params.slow) == 40", True),
        ("strategy.params.lambda < 1", True),
        ("patterns.0.params.width == 3", True),
        ("regime.of == 'symbol'", True),
        ('regime.of != "strategy.params.fast"', True),
        ("sizing.equal", True),
        ("not sizing.equal", False),
        ("sizing.equal == true", True),
        ("backtest.stop_loss == null", True),
        ("backtest.stop_loss != None", False),
    ],
)
def test_what_it_means(text, expected):
    assert holds(text) is expected


def test_a_point_counts_before_the_configuration():
    text = "strategy.params.fast * 2 <= strategy.params.slow"
    assert holds(text, fast=25)
    assert not holds(text, fast=26)
    assert holds(text, fast=26, slow=52)


@pytest.mark.parametrize(
    "text",
    [
        "backtest.stop_loss < backtest.take_profit",
        "not backtest.stop_loss < backtest.take_profit",
        "strategy.params.fast / (strategy.params.slow - 50) > 0",
        "regime.of > 3",
        "sizing.equal + 1 == 2",
        "10.0 ** 300 ** 2 > 1",
        "(-1) ** 0.5 != 7",
        "strategy.params.fast and true",
        "1e308 * 10 > 1",
    ],
)
def test_without_an_answer_it_does_not_hold(text):
    assert holds(text) is False


def test_what_comes_first_may_settle_it():
    text = "backtest.stop_loss == null or backtest.stop_loss < backtest.take_profit"
    constraint = Constraint.parse(text, KNOWN)
    assert constraint.paths == ("backtest.stop_loss", "backtest.take_profit")
    assert constraint.holds({}, BASE)
    assert constraint.holds({"backtest.stop_loss": 0.05}, BASE)
    assert not constraint.holds({"backtest.stop_loss": 0.2}, BASE)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("strategy.params.fast <", "cannot be read"),
        ("", "cannot be read"),
        ("strategy.params.fast = 3", "cannot be read"),
        ("strategy.params.fast * 2", "must be true or false"),
        ("3", "must be true or false"),
        ("strategy.params.fats < 3", "names strategy.params.fats, which is not a parameter; did you mean "
         "strategy.params.fast?"),
        ("fast < 3", "names fast, which is not a parameter; did you mean strategy.params.fast?"),
        ("zzz < 3", "names zzz, which is not a parameter"),
        ("strategy.params.fast in (1, 2)", "must compare by"),
        ("strategy.params.fast is 3", "must compare by"),
        ("__import__('os').system('true') == 0", "must not have __import__('os').system('true')"),
        ("open('x') == 3", "must not have open('x')"),
        ("(lambda: 3)() == 3", "must not have (lambda: 3)()"),
        ("[1][0] == 1", "must not have [1][0]"),
        ("[x for x in (1,)] == 1", "must not have [x for x in (1,)]"),
        ("f'{3}' == '3'", "must not have f'{3}'"),
        ("(a := 3) == 3", "must not have (a := 3)"),
        ("1j == 1", "must not have 1j"),
        ("1 << 3 == 8", "must not have 1 << 3"),
        ("~1 == 3", "must not have ~1"),
        ("max(*strategy.params.fast) == 3", "must not have *strategy.params.fast"),
        ("max(1, key=2) == 3", "must not have max(1, key=2)"),
        ("abs() == 3", "abs takes one number"),
        ("min(1) == 1", "abs takes one number, min and max take several"),
        ("1 < " + "-" * 60 + "1", "must not be nested more than 50 deep"),
        ("1 < " + "1" * MOST_TEXT, "must have at most 1,000 characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_constraint(text, rule):
    with pytest.raises(InvalidValueError) as caught:
        Constraint.parse(text, KNOWN)
    assert rule in str(caught.value)


def test_it_travels():
    constraint = Constraint.parse("strategy.params.fast < strategy.params.slow", KNOWN)
    again = pickle.loads(pickle.dumps(constraint))
    assert again == constraint
    assert not again.holds({"strategy.params.fast": 60}, BASE)


@given(st.text(alphabet="strategy.pms_f()[]{}<>=!+-*/%'\"0123456789 andornotiflm,:\\\n", max_size=60))
def test_any_text_is_read_or_refused(text):
    try:
        constraint = Constraint.parse(text, KNOWN)
    except InvalidValueError:
        return
    assert constraint.holds({}, BASE) in (True, False)


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9))
def test_it_agrees_with_python(a, b, c):
    text = "strategy.params.fast * 2 - 1 <= strategy.params.slow < strategy.params.lambda ** 2"
    point = dict(zip(KNOWN[:3], (a, b, c), strict=True))
    assert Constraint.parse(text, KNOWN).holds(point, {}) is (a * 2 - 1 <= b < c**2)
