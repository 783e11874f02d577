"""What a run leaves behind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from windtunnel.bars import Bars
from windtunnel.engine import REASONS, Simulation
from windtunnel.engine.comparison import Comparison
from windtunnel.engine.metrics import METRICS
from windtunnel.pipeline.choice import Choice
from windtunnel.pipeline.decide import Decision
from windtunnel.pipeline.sweep import Sweep
from windtunnel.values import Metric, Optimized, Verdict

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["BenchmarkResult", "Effect", "Result"]


@dataclass(frozen=True, eq=False)
class BenchmarkResult:
    """Holding one symbol of the data from the first bar to the last, under the same rules."""

    name: str
    simulation: Simulation
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class Effect:
    """What one part changed: metrics of the run up to that part, without it and with it."""

    part: str
    sentence: str
    before: Mapping[str, float]
    after: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Result:
    """One backtest, with everything that led to it.

    Parameters
    ----------
    name : str
    bars : Bars
    decision : Decision
    simulation : Simulation
    metrics : mapping of str to float
        Fractions, not per cent; NaN where a figure is not defined.
    benchmark : BenchmarkResult or None
    comparison : Comparison or None
    effects : tuple of Effect
        What gate, scorer and sizing changed, each on top of the ones before.
    sentence : str
        Whether it beat the benchmark after costs.
    figures : tuple of Metric
        What ``metrics`` holds, in its order.
    config, manifest : mapping
        The resolved experiment; data hash, versions, seed and timings. Empty for a run from Python.
    sweep : Sweep or None
        All combinations, where this is the best of a sweep.
    choice : Choice or None
        Which of them this is, and what stands around it.
    optimized : Optimized or None
        How the parameters were searched for, where they were: then this is what the choice of each fold
        earned out of sample, joined, and ``bars`` are the judged ones only.
    verdict : Verdict or None
        Whether it is real, or luck.
    truth : mapping
        What really happened, of synthetic data: ``regimes``, labels by time and symbol; ``patterns``. No
        plugin sees it.
    """

    name: str
    bars: Bars
    decision: Decision
    simulation: Simulation
    metrics: Mapping[str, float]
    benchmark: BenchmarkResult | None
    comparison: Comparison | None
    effects: tuple[Effect, ...]
    sentence: str
    figures: tuple[Metric, ...] = METRICS
    config: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    sweep: Sweep | None = None
    choice: Choice | None = None
    optimized: Optimized | None = None
    verdict: Verdict | None = None
    truth: Mapping[str, Any] = field(default_factory=dict)

    @property
    def equity(self) -> pd.DataFrame:
        """``equity``, ``cash``, ``gross``, ``carry``, and ``benchmark`` (its equity), by ``time``."""
        import pandas as pd

        columns = {name: getattr(self.simulation, name) for name in ("equity", "cash", "gross", "carry")}
        if self.benchmark is not None:
            columns["benchmark"] = self.benchmark.simulation.equity
        return pd.DataFrame(columns, index=pd.DatetimeIndex(self.bars.time, name="time"))

    @property
    def trades(self) -> pd.DataFrame:
        """One row a round trip, with times, prices, costs, profit, excursions and the reason of its end."""
        import pandas as pd

        trades, time = self.simulation.trades, self.bars.time
        return pd.DataFrame(
            {
                "symbol": self._symbols(trades.symbol),
                "direction": np.where(trades.direction > 0, "long", "short"),
                "entry_time": time[trades.entry_bar],
                "exit_time": time[trades.exit_bar],
                "units": trades.units,
                "entry_price": trades.entry_price,
                "exit_price": trades.exit_price,
                "fees": trades.fees,
                "carry": trades.carry,
                "pnl": trades.pnl,
                "return": trades.returns,
                "reason": np.array(REASONS)[trades.reason],
                "bars": trades.bars,
                "worst": trades.worst,
                "best": trades.best,
                "r_multiple": trades.r_multiple,
            }
        )

    @property
    def fills(self) -> pd.DataFrame:
        """One row a fill, in the order in which they happened."""
        import pandas as pd

        fills = self.simulation.fills
        return pd.DataFrame(
            {
                "time": self.bars.time[fills.bar],
                "symbol": self._symbols(fills.symbol),
                "units": fills.units,
                "price": fills.price,
                "fee": fills.fee,
                "slippage": fills.slippage,
                "position": fills.position,
                "reason": np.array(REASONS)[fills.reason],
                "carry": fills.carry,
                "stop": fills.stop,
            }
        )

    def _symbols(self, columns: np.ndarray[Any, np.dtype[np.int64]]) -> pd.Series[str]:
        import pandas as pd

        return pd.Series([self.bars.symbols[column] for column in columns], dtype="str")

    def summary(self) -> pd.DataFrame:
        """Return the metrics, the strategy's beside the benchmark's."""
        import pandas as pd

        columns = {"strategy": dict(self.metrics)}
        if self.benchmark is not None:
            columns[self.benchmark.name] = dict(self.benchmark.metrics)
        return pd.DataFrame(columns)

    def _shown(self) -> pd.DataFrame:
        """Return the summary as text: fractions in per cent, counts whole."""
        styles = {"fraction": "{:+.2%}", "ratio": "{:.2f}", "count": "{:,.0f}", "bars": "{:,.0f}"}
        table = self.summary().astype(object)
        for figure in self.figures:
            style = styles.get(figure.unit, "{:,.2f}")
            table.loc[figure.name] = [
                "–" if value != value else style.format(value).replace("-", "−")
                for value in self.summary().loc[figure.name]
            ]
        return table

    def __repr__(self) -> str:
        return f"Result({self.name}: {self.bars!r})\n{self._shown().to_string()}\n{self.sentence}"

    def _repr_html_(self) -> str:
        table = self._shown().to_html(border=0)
        return f"<h4>{escape(self.name)}</h4><p>{escape(self.sentence)}</p>{table}"
