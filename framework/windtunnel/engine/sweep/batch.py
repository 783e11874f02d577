"""Which accounts can be walked from order to order, and how batches of them reach the kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from windtunnel.bars import Bars
from windtunnel.engine.account import simulate
from windtunnel.engine.sweep.codes import ITEM, KEEP, SHORT, SWEEP_METRICS
from windtunnel.values import Exposure, FloatArray, IntArray, Orders, Rules

__all__ = ["Bench", "Figures", "items", "one"]

_COSTS = ("cash", "fill", "sides", "fees", "fees_by_symbol", "fee_fixed", "slippage")
_OPEN = (*_COSTS, "stop_loss", "take_profit", "cooldown", "atr_window")
_USUAL = tuple((name, value) for name, value in Rules() if name not in _OPEN)
"""The rules that must be as they usually are for an account to be walked from order to order."""


class Figures(NamedTuple):
    """What a sweep computes of K accounts.

    Parameters
    ----------
    metrics : array of float64, ``[K, 5]``
    sums : array of float64, ``[K, S, 2]``
        Σr and Σr² of the returns of all bars before each of S edges.
    """

    metrics: FloatArray
    sums: FloatArray


class Bench:
    """One symbol's prices, ready for many all-in accounts.

    Parameters
    ----------
    bars : Bars
    many : bool
        Whether so many orders will come that it pays to record the prices block by block first.
    """

    def __init__(self, bars: Bars, *, many: bool) -> None:
        from windtunnel.engine.sweep.tape import recorded

        self.rows = len(bars)
        self._bytes = -(-self.rows // 8) * 8
        self._periods = bars.periods_per_year
        prices = (
            np.ascontiguousarray(getattr(bars, name)[:, 0]) for name in ("open", "high", "low", "close")
        )
        self._tape = recorded(*prices, many=many)

    @staticmethod
    def fits(bars: Bars) -> bool:
        """Say whether the bars are those of one symbol, without gaps, delisting or corporate actions."""
        single = bars.shape[1] == 1 and bars.actions is None and len(bars) > 0
        return single and int(bars.last_bar[0]) >= len(bars) - 1 and bool(bars.present.all())

    def sheet(self, rows: int) -> npt.NDArray[np.uint8]:
        """Return room for the codes of so many exposures, ``[rows, ≥ T]``."""
        sheet = np.empty((rows, self._bytes), np.uint8)
        sheet[:, self.rows :] = 0
        return sheet

    def flags(self, sheet: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
        """Return the same memory as bool, ``[rows, T, 1]``, for exposures that are."""
        return sheet.view(np.bool_)[:, : self.rows, None]

    def code(self, exposure: Exposure, row: npt.NDArray[np.uint8]) -> bool:
        """Write the codes of an exposure, ``[T, 1]``, into a row of a sheet; False where there are none."""
        column: Any = exposure[:, 0]
        if column.dtype.char == "d":
            return _coded(column, row[: self.rows])
        row[: self.rows] = column.view(np.uint8)
        return True

    def run(
        self, sheet: npt.NDArray[np.uint8], row: IntArray, terms: Any, cash: float, edges: IntArray
    ) -> Figures:
        """Return the figures of each item: a row of the sheet under a record of :func:`items`.

        The compiled part holds no lock, so that threads may run at once.
        """
        from windtunnel.engine.sweep.segments import segments

        out, sums = np.empty((len(row), len(SWEEP_METRICS))), np.empty((len(row), len(edges), 2))
        words = sheet.view(np.uint64)
        segments(self._tape, sheet, words, row, terms, cash, self._periods, edges, out, sums)
        return Figures(out, sums)


def _coded(column: FloatArray, row: npt.NDArray[np.uint8]) -> bool:
    """Write the codes of a float exposure where it is 0, 1, NaN, or -1 without any NaN."""
    keep, short = np.isnan(column), column == -1.0
    if not (keep | short | (column == 0.0) | (column == 1.0)).all() or (keep.any() and short.any()):
        return False
    row[:] = column == 1.0
    row[keep] = KEEP
    row[short] = SHORT
    return True


def items(symbol: str, rules: Sequence[Rules]) -> Any:
    """Return rules as records of the terms of all-in accounts on a symbol, ``[K]``; None where one is not."""
    if not all(map(_all_in, rules)):
        return None
    records = np.zeros(len(rules), ITEM)
    for k, row in enumerate(rules):
        fees, slip = row.fees_by_symbol.get(symbol, row.fees), _number(row.slippage)
        records[k] = (
            row.fill == "close",
            0.0 if row.sides == "long" else -np.inf,
            0.0 if row.sides == "short" else np.inf,
            fees,
            row.fee_fixed,
            slip,
            row.stop_loss or 0.0,
            row.take_profit or 0.0,
            row.cooldown,
            1 / (1 + slip + fees * (1 + slip)),
            1 / (1 + slip + fees * (1 - slip)),
        )
    return records


def _number(value: Any) -> float:
    return float(value)


def _all_in(rules: Rules) -> bool:
    """Say whether an account under these rules holds nothing, or all of its equity, either way."""
    if any(getattr(rules, name) != usual for name, usual in _USUAL):
        return False
    measured = (rules.slippage, rules.stop_loss or 0.0, rules.take_profit or 0.0)
    return all(isinstance(one, float) for one in measured)


def one(bars: Bars, orders: Orders, rules: Rules, edges: IntArray) -> Figures:
    """Return the figures of one account under any rules, K = 1."""
    from windtunnel.engine.sweep.figures import of_equity

    account = simulate(bars, orders, rules)
    pnl = account.trades.pnl
    out = np.empty(len(SWEEP_METRICS))
    of_equity(account.equity, rules.cash, bars.periods_per_year, float(len(pnl)), float((pnl > 0).sum()), out)
    added = np.zeros((len(bars) + 1, 2))
    added[1:] = np.cumsum(np.column_stack([account.returns, account.returns**2]), axis=0)
    return Figures(out[None], added[None, edges])
