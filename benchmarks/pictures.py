"""Small multiples as an SVG that follows the viewer's light or dark setting and holds no script."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path

__all__ = ["Panel", "draw", "short"]

_WIDTH, _LEFT, _RIGHT, _GAP = 900, 76, 24, 96
_TOP, _PLOT, _ROW = 108, 190, 290
_STYLE = """
  rect { fill: #ffffff } text { font: 13px system-ui, sans-serif; fill: #59636f }
  .title { font-size: 16px; font-weight: 600; fill: #1c2126 } .name { font-size: 14px; fill: #1c2126 }
  .end { text-anchor: end } .middle { text-anchor: middle } .value { fill: #0b64b5; font-weight: 600 }
  line { stroke: #dfe4ea } .linear { stroke: #858d97; stroke-dasharray: 5 4 }
  polyline { fill: none; stroke: #0b64b5; stroke-width: 2; stroke-linejoin: round } circle { fill: #0b64b5 }
  @media (prefers-color-scheme: dark) {
    rect { fill: #14171c } text { fill: #a3adba } .title, .name { fill: #e6eaf0 } .value { fill: #5fb0ff }
    line { stroke: #323a45 } .linear { stroke: #97a1ae } polyline { stroke: #5fb0ff } circle { fill: #5fb0ff }
  }
"""


@dataclass(frozen=True)
class Panel:
    """One small picture.

    Parameters
    ----------
    name, across, up : str
        What varies; the axes, with their units.
    x, y : list of float
        The points, x rising and on a log scale.
    words : callable
        How a value of y is written.
    logarithmic : bool
        Whether y is on a log scale too, with a dashed line for growth in proportion; else it starts at 0.
    """

    name: str
    across: str
    up: str
    x: list[float]
    y: list[float]
    words: Callable[[float], str]
    logarithmic: bool = True


def short(value: float) -> str:
    """Return a count in few characters: 100, 10k, 1M."""
    for size, unit in ((1e6, "M"), (1e3, "k")):
        if value >= size:
            return f"{value / size:.3g}{unit}"
    return f"{value:.3g}"


def draw(path: Path, title: str, note: str, panels: list[Panel], columns: int = 2) -> None:
    """Write the panels, row by row, below a title that says what to see, and a note on how to read them."""
    rows = math.ceil(len(panels) / columns)
    height = _TOP + rows * _ROW - 16
    plot = (_WIDTH - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns
    body = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{_WIDTH}" height="{height}"/>',
        f'<text class="title" x="{_LEFT}" y="32">{escape(title)}</text>',
        f'<text x="{_LEFT}" y="54">{escape(note)}</text>',
    ]
    for place, panel in enumerate(panels):
        left = _LEFT + (place % columns) * (plot + _GAP)
        body += _panel(panel, left, _TOP + (place // columns) * _ROW, plot)
    path.write_text("\n".join([*body, "</svg>"]) + "\n")


def _panel(panel: Panel, left: float, top: float, width: float) -> list[str]:
    low_x, high_x = min(panel.x), max(panel.x)
    low_y, high_y = _range(panel)

    def across(value: float) -> float:
        return left + width * math.log(value / low_x) / math.log(high_x / low_x)

    def up(value: float) -> float:
        if panel.logarithmic:
            share = math.log(value / low_y) / math.log(high_y / low_y)
        else:
            share = (value - low_y) / (high_y - low_y)
        return top + _PLOT * (1 - share)

    body = [
        f'<text class="name" x="{left:.1f}" y="{top - 26}">{escape(panel.name)}</text>',
        f'<text x="{left:.1f}" y="{top - 8}">{escape(panel.up)}</text>',
        f'<text class="middle" x="{left + width / 2:.1f}" y="{top + _PLOT + 42}">'
        f"{escape(panel.across)}</text>",
    ]
    for value in _ticks(panel, low_y, high_y):
        y = up(value)
        body.append(f'<line x1="{left:.1f}" x2="{left + width:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>')
        body.append(
            f'<text class="end" x="{left - 8:.1f}" y="{y + 4:.1f}">{escape(panel.words(value))}</text>'
        )
    body += [
        f'<text class="middle" x="{across(value):.1f}" y="{top + _PLOT + 20}">{short(value)}</text>'
        for value in panel.x
    ]
    if panel.logarithmic:
        # In proportion to the last point, from where that line enters the panel.
        start = max(low_x, panel.x[-1] * low_y / panel.y[-1])
        body.append(
            f'<line class="linear" x1="{across(start):.1f}" y1="{up(panel.y[-1] * start / panel.x[-1]):.1f}" '
            f'x2="{across(panel.x[-1]):.1f}" y2="{up(panel.y[-1]):.1f}"/>'
        )
    points = [(across(x), up(y)) for x, y in zip(panel.x, panel.y, strict=True)]
    body.append(f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>')
    body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points]
    x, y = points[-1]
    body.append(
        f'<text class="end value" x="{x:.1f}" y="{y - 10:.1f}">{escape(panel.words(panel.y[-1]))}</text>'
    )
    return body


def _range(panel: Panel) -> tuple[float, float]:
    if not panel.logarithmic:
        return 0.0, 1.25 * max(panel.y)
    low, high = (math.log10(value) for value in (min(panel.y), max(panel.y)))
    # Powers of ten around the values, with room for the last one's label.
    bottom, top = math.floor(low), math.ceil(high + 0.15)
    return 10.0**bottom, 10.0**top


def _ticks(panel: Panel, low: float, high: float) -> list[float]:
    if panel.logarithmic:
        return [10.0**power for power in range(round(math.log10(low)), round(math.log10(high)) + 1)]
    rough = high / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = power * min((1, 2, 5, 10), key=lambda digit: abs(digit * power - rough))
    return [step * count for count in range(math.floor(high / step) + 1)]
