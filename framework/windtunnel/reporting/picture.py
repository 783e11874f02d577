"""A static picture of the account, for a page that runs no script."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np

from windtunnel.engine.metrics.returns import drawdown
from windtunnel.reporting.charts.chart import holding
from windtunnel.reporting.files import write_whole
from windtunnel.reporting.series import clock, decimate
from windtunnel.reporting.text import number, percent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from windtunnel.pipeline.result import Result
    from windtunnel.values import FloatArray, TimeArray

__all__ = ["equity_picture"]

_WIDTH, _HEIGHT = 900, 440
_LEFT, _RIGHT = 64, 884
_EQUITY, _DRAWDOWN = (56, 284), (312, 404)
_STYLE = """
  rect { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #59636f }
  .title { font-size: 15px } .ours { fill: #0b64b5; font-weight: 600 }
  .end { text-anchor: end } .middle { text-anchor: middle }
  line { stroke: #dfe4ea } polyline { fill: none; stroke-width: 1.6; stroke-linejoin: round }
  .strategy { stroke: #0b64b5 } .benchmark { stroke: #858d97; stroke-width: 1.2 }
  .area { fill: #0b64b5; fill-opacity: 0.14; stroke: none }
  @media (prefers-color-scheme: dark) {
    rect { fill: #14171c } text { fill: #a3adba } .ours { fill: #5fb0ff } line { stroke: #323a45 }
    .strategy { stroke: #5fb0ff } .benchmark { stroke: #97a1ae } .area { fill: #5fb0ff; fill-opacity: 0.18 }
  }
"""


def equity_picture(result: Result, path: Path) -> Path:
    """Write an SVG of equity beside the benchmark's (log scale), with the drawdowns below.

    It follows the viewer's light or dark setting and holds no script; where an account was ruined, equity
    stands on a linear scale.
    """
    accounts = {"strategy": result.simulation}
    if result.benchmark is not None:
        accounts = {"benchmark": result.benchmark.simulation} | accounts
    equities = {kind: account.equity for kind, account in accounts.items()}
    falls = {kind: drawdown(account.equity, account.rules.cash) for kind, account in accounts.items()}
    rows = decimate([*equities.values(), *falls.values()], points=1_200)
    across = _across(clock(result.bars))
    upper = _Scale.of(list(equities.values()), _EQUITY)
    lower = _Scale.of([*falls.values(), np.zeros(1)], _DRAWDOWN)
    body = [
        *_grid(upper, lambda value: number(value, 0)),
        *_grid(lower, lambda value: percent(value, 0)),
        *_years(clock(result.bars), across),
        _polygon(across[rows], lower(falls["strategy"][rows]), lower(np.zeros(1))[0]),
    ]
    for kind in accounts:
        body.append(_polyline(kind, across[rows], upper(equities[kind][rows])))
        body.append(_polyline(kind, across[rows], lower(falls[kind][rows])))
    text = "\n".join([*_head(result), *body, "</svg>"])
    return write_whole(path, f"{text}\n".encode())


@dataclass(frozen=True)
class _Scale:
    """Where values stand in a panel from ``top`` to ``bottom``."""

    low: float
    high: float
    top: float
    bottom: float
    logarithmic: bool

    @staticmethod
    def of(series: Sequence[FloatArray], panel: tuple[float, float]) -> _Scale:
        low = min(float(values.min()) for values in series)
        high = max(float(values.max()) for values in series)
        return _Scale(low, high if high > low else low + 1.0, *panel, low > 0)

    def __call__(self, values: FloatArray) -> FloatArray:
        low, high = np.log([self.low, self.high]) if self.logarithmic else (self.low, self.high)
        share = ((np.log(values) if self.logarithmic else values) - low) / (high - low)
        return np.asarray(self.bottom - share * (self.bottom - self.top))

    def ticks(self) -> list[float]:
        """Return three to eight round values: 1, 2 and 5 where they suffice on a log scale, or even steps."""
        if self.logarithmic and self.high > 10 * self.low:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            digits = (1,) if self.high > 1_000 * self.low else (1, 2, 5)
            every = [digit * 10.0**power for power in powers for digit in digits]
        else:
            rough = (self.high - self.low) / 4
            power = 10.0 ** math.floor(math.log10(rough))
            step = power * min((1, 2, 5, 10), key=lambda digit: abs(digit * power - rough))
            first, last = math.ceil(self.low / step), math.floor(self.high / step)
            every = [step * count for count in range(first, last + 1)]
        return [value for value in every if self.low <= value <= self.high]


def _head(result: Result) -> list[str]:
    account = result.simulation
    ours = f"{result.name}: {number(account.rules.cash, 0)} became {number(account.equity[-1], 0)}"
    other = ""
    if result.benchmark is not None:
        other = f"; {holding(result)} made it {number(result.benchmark.simulation.equity[-1], 0)}"
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="{escape(ours + other)}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="title" x="{_LEFT}" y="26">',
        f'<tspan class="ours">{escape(ours)}</tspan>{escape(other)}</text>',
        f'<text x="{_LEFT}" y="{_EQUITY[0] - 8}">equity</text>',
        f'<text x="{_LEFT}" y="{_DRAWDOWN[0] - 8}">drawdown</text>',
    ]


def _across(time: TimeArray) -> FloatArray:
    elapsed = (time - time[0]).astype(np.float64)
    return np.asarray(_LEFT + elapsed / max(elapsed[-1], 1.0) * (_RIGHT - _LEFT))


def _grid(scale: _Scale, words: Callable[[float], str]) -> list[str]:
    heights = scale(np.array(scale.ticks())).tolist()
    return [
        f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="end" x="{_LEFT - 8}" y="{y + 4:.1f}">{words(value)}</text>'
        for value, y in zip(scale.ticks(), heights, strict=True)
    ]


def _years(time: TimeArray, across: FloatArray) -> list[str]:
    """Label up to eleven years at their first bar."""
    years, first = np.unique(time.astype("datetime64[Y]"), return_index=True)
    step = math.ceil(len(years) / 10)
    return [
        f'<text class="middle" x="{across[row]:.1f}" y="{_HEIGHT - 12}">{year}</text>'
        for year, row in list(zip(years.astype(str).tolist(), first.tolist(), strict=True))[::step]
    ]


def _points(x: FloatArray, y: FloatArray) -> str:
    return " ".join(f"{across:.1f},{up:.1f}" for across, up in zip(x.tolist(), y.tolist(), strict=True))


def _polyline(kind: str, x: FloatArray, y: FloatArray) -> str:
    return f'<polyline class="{kind}" points="{_points(x, y)}"/>'


def _polygon(x: FloatArray, y: FloatArray, base: float) -> str:
    return f'<polygon class="area" points="{x[0]:.1f},{base:.1f} {_points(x, y)} {x[-1]:.1f},{base:.1f}"/>'
