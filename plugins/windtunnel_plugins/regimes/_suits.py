"""A section of the report: which strategies suit the regimes that were named."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from windtunnel.values import Section
from windtunnel_plugins.regimes._naming import RECOMMENDED

__all__ = ["suited"]


def suited(result: Any) -> Iterator[Section]:
    """Yield which strategies suit each regime, and which the market was in last; nothing without regimes."""
    regimes = result.decision.regimes
    if regimes is None or not set(regimes.names) <= RECOMMENDED.keys():
        return
    last = {
        name: [
            symbol for symbol, code in zip(result.bars.symbols, regimes.codes[-1], strict=True) if code == at
        ]
        for at, name in enumerate(regimes.names)
    }
    rows = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(', '.join(RECOMMENDED[name]) or 'none')}</td>"
        f"<td>{escape(_listed(last[name]))}</td></tr>"
        for name in regimes.names
    )
    head = "<tr><th>regime</th><th>strategies that suit it</th><th>in it on the last bar</th></tr>"
    words = (
        "<p>By what each strategy is made for; whether it earned anything there, only a backtest says.</p>"
    )
    yield Section(
        "What suits each regime", f"{words}<table><thead>{head}</thead><tbody>{rows}</tbody></table>"
    )


def _listed(symbols: list[str]) -> str:
    return ", ".join(symbols[:6]) + (f" and {len(symbols) - 6} more" if len(symbols) > 6 else "")
