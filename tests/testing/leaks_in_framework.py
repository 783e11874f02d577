"""Mistakes that the framework could make itself: in an indicator, the gate, the sizing, the engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from causality_cases import Trend, strategy, whole
from leak_catalogue import Leak

from windtunnel.engine import simulate
from windtunnel.pipeline.refuse import gate_refuses, sized
from windtunnel.values import Orders

TREND = strategy(Trend())


def whole_average(values: Any, window: int) -> Any:
    return np.broadcast_to(np.nanmean(values, axis=0), values.shape).copy()


def opens_early(gate: Any, direction: Any, regimes: Any, patterns: Any) -> Any:
    refused = gate_refuses(gate, direction, regimes, patterns)
    return np.vstack([refused[1:], refused[-1:]])


def whole_sizes(orders: Any, present: Any, sizing: Any, forecast: Any) -> Any:
    made = sized(orders, present, sizing, forecast)
    return replace(made, exposure=made.exposure * (0.5 + 0.5 * np.nanmean(made.exposure, axis=0)))


def filled_at_the_same_open(bars: Any, orders: Any, rules: Any) -> Any:
    early = np.vstack([orders.exposure[1:], orders.exposure[-1:]])
    return simulate(bars, Orders(early), rules)


def knows_the_end(bars: Any, orders: Any, rules: Any) -> Any:
    return simulate(bars, Orders(orders.exposure & (bars.close[-1] > bars.close[0])), rules)


average = Leak(
    "indicator",
    "A moving average that is the mean of all bars.",
    "indicators",
    TREND,
    patches={"windtunnel.indicators.sma": whole_average},
)
gate = Leak(
    "gate",
    "A gate that goes by the regime of the next bar.",
    "gate",
    whole(scorer=None),
    patches={"windtunnel.pipeline.decide.gate_refuses": opens_early},
)
sizing = Leak(
    "sizing",
    "Sizes by the mean of what is held over all bars.",
    "sizing",
    TREND,
    patches={"windtunnel.pipeline.decide.sized": whole_sizes},
)
same_bar_fill = Leak(
    "same_bar_fill",
    "An order that the close of a bar gives is filled at the open of that bar.",
    "engine",
    TREND,
    patches={"windtunnel.testing.trial.simulate": filled_at_the_same_open},
)
engine_end = Leak(
    "engine",
    "An account that holds only what will have risen at the end.",
    "engine",
    TREND,
    patches={"windtunnel.testing.trial.simulate": knows_the_end},
)
