"""Accounts walked from order to order against the same accounts simulated bar by bar."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.bars import Bars
from windtunnel.engine import simulate
from windtunnel.engine.metrics import Performance, compute
from windtunnel.engine.sweep import SWEEP_METRICS, Bench, Figures, items, one
from windtunnel.values import Actions, Atr, Calendar, Orders, RangeShare, Rules

NONE = np.empty(0, np.int64)


def one_symbol(rng: np.random.Generator, rows: int, volatility: float) -> Bars:
    close = 100 * np.exp(np.cumsum(rng.normal(0, volatility, rows)))
    open_ = close * np.exp(rng.normal(0, 0.01, rows))
    high = np.maximum(open_, close) * np.exp(np.abs(rng.normal(0, 0.01, rows)))
    low = np.minimum(open_, close) * np.exp(-np.abs(rng.normal(0, 0.01, rows)))
    time = np.datetime64("2020-01-01", "D") + np.arange(rows)
    return Bars.from_arrays(time, close, open=open_, high=high, low=low)


def exposure(rng: np.random.Generator, rows: int, style: str, often: float) -> np.ndarray:
    change = rng.random(rows) < often
    if style == "pulses":
        return np.where(change, rng.choice([0.0, 1.0], rows), np.nan)[:, None]
    sides = [0, 1] if style == "bool" else [-1, 0, 1]
    wanted = rng.choice(sides, rows)
    kept = wanted[np.maximum.accumulate(np.where(change, np.arange(rows), 0))]
    kinds = {"bool": np.bool_, "int8": np.int8, "float": np.float64}
    return np.asarray(kept, kinds[style])[:, None]


@dataclass(repr=False)
class Case:
    bars: Bars
    orders: Orders
    rules: Rules
    edges: np.ndarray

    def __repr__(self) -> str:
        changed = self.rules.model_dump(exclude_defaults=True)
        return f"{len(self.bars)} bars, {self.orders.exposure.dtype}, {changed}"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.sampled_from([1, 2, 7, 8, 9, 16, 40, 130, 300]))
    bars = one_symbol(rng, rows, draw(st.sampled_from([0.01, 0.3])))
    style = draw(st.sampled_from(["bool", "int8", "float", "pulses"]))
    wanted = exposure(rng, rows, style, draw(st.sampled_from([0.5, 0.2, 0.03])))
    rules = Rules(
        cash=draw(st.sampled_from([100.0, 10_000.0])),
        fill=draw(st.sampled_from(["next_open", "close"])),
        sides=draw(st.sampled_from(["both", "both", "long", "short"])),
        fees=draw(st.sampled_from([0.0, 0.001, 0.05])),
        fees_by_symbol=draw(st.sampled_from([{}, {"asset": 0.003}])),
        fee_fixed=draw(st.sampled_from([0.0, 0.0, 1.0])),
        slippage=draw(st.sampled_from([0.0, 0.001])),
        stop_loss=draw(st.sampled_from([None, 0.02, 0.1])),
        take_profit=draw(st.sampled_from([None, 0.03, 0.2])),
        cooldown=draw(st.sampled_from([0, 0, 1, 5])),
    )
    edges = np.flatnonzero(rng.random(rows + 1) < draw(st.sampled_from([0.0, 0.02, 0.3, 1.0])))
    return Case(bars, Orders(wanted), rules, edges)


def simulated(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Return the metrics, and the sums of returns and their squares before each edge."""
    run = simulate(case.bars, case.orders, case.rules)
    figures = compute(Performance(run, case.bars.periods_per_year))
    sums = [(run.returns[:edge].sum(), (run.returns[:edge] ** 2).sum()) for edge in case.edges]
    return np.array([figures[name] for name in SWEEP_METRICS]), np.reshape(sums, (-1, 2))


def assert_figures(found: Figures, row: int, expected: tuple[np.ndarray, np.ndarray]) -> None:
    np.testing.assert_allclose(found.metrics[row], expected[0], rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(found.sums[row], expected[1], rtol=1e-9, atol=1e-11)


@given(cases())
def test_walked_equals_simulated(case: Case) -> None:
    """For few and for many accounts, alone and beside others on the same exposure."""
    expected = simulated(case)
    told = items("asset", [case.rules, case.rules.model_copy(update={"stop_loss": 0.05}), case.rules])
    for many in (False, True):
        bench = Bench(case.bars, many=many)
        sheet = bench.sheet(1)
        assert bench.code(case.orders.exposure, sheet[0])
        alone = bench.run(sheet, np.zeros(1, np.int64), told[:1], case.rules.cash, case.edges)
        beside = bench.run(sheet, np.zeros(3, np.int64), told, case.rules.cash, case.edges)
        for found, row in ((alone, 0), (beside, 0), (beside, 2)):
            assert_figures(found, row, expected)


@given(cases())
def test_one_account_bar_by_bar_has_the_same_metrics(case: Case) -> None:
    assert_figures(one(case.bars, case.orders, case.rules, case.edges), 0, simulated(case))


def test_seven_bars_by_hand() -> None:
    """Bought at 10, stopped at 9 (fees 10 % each way); bought again at 10, still open at 12."""
    close, low = [10.0, 10, 9.5, 10, 10, 11, 12], [10.0, 10, 8, 10, 10, 11, 12]
    bars = Bars.from_arrays(np.arange(7).astype("datetime64[D]"), close, open=close, high=close, low=low)
    wanted = np.array([0, 1, 1, 0, 1, 1, 1], np.bool_)[:, None]
    rules = Rules(cash=110.0, fees=0.1, fill="close", stop_loss=0.1)
    bench = Bench(bars, many=False)
    sheet = bench.sheet(1)
    bench.code(wanted, sheet[0])
    (found,) = bench.run(sheet, np.zeros(1, np.int64), items("asset", [rules]), rules.cash, NONE).metrics
    sold = 10 * 9 * 0.9
    assert found[0] == pytest.approx(sold / 1.1 / 10 * 12 / 110 - 1)
    assert found[2] == pytest.approx(sold / 1.1 / 110 - 1)
    assert found[3:].tolist() == [2, 0.5]


@pytest.mark.parametrize(
    "rules",
    [
        Rules(leverage=2.0),
        Rules(lot=1.0),
        Rules(trailing_stop=0.1),
        Rules(stop_loss=Atr(atr=2.0)),
        Rules(slippage=RangeShare(range=0.1)),
        Rules(rebalance=Calendar(every=5)),
        Rules(max_bars=3),
        Rules(fee_min=1.0),
    ],
)
def test_other_rules_are_not_walked(rules: Rules) -> None:
    assert items("asset", [Rules(), rules]) is None


def test_what_bars_are_walked() -> None:
    bars = one_symbol(np.random.default_rng(1), 20, 0.01)
    assert Bench.fits(bars)
    closes = bars.close.copy()
    closes[5] = np.nan
    assert not Bench.fits(Bars.from_arrays(bars.time, closes))
    assert not Bench.fits(Bars.from_arrays(bars.time, np.hstack([bars.close, bars.close])))
    whole = np.array([3])
    actions = Actions(whole, np.array([0]), np.array([1.0]), np.array([1.0]))
    assert not Bench.fits(Bars(**{**vars_of(bars), "actions": actions}))


def vars_of(bars: Bars) -> dict[str, object]:
    return {name: getattr(bars, name) for name in type(bars).__dataclass_fields__}


@pytest.mark.parametrize(
    "wanted", [[0.0, 0.5, 1.0], [0.0, np.nan, -1.0]], ids=["half a position", "a short beside NaN"]
)
def test_exposures_without_a_code(wanted: list[float]) -> None:
    bars = one_symbol(np.random.default_rng(1), 3, 0.01)
    bench = Bench(bars, many=False)
    assert not bench.code(np.array(wanted)[:, None], bench.sheet(1)[0])
