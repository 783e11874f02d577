"""Models that are asked once for all candidates that have them."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from windtunnel.learn import Keeper, Tick
from windtunnel.market import Market
from windtunnel.pipeline.candidate import Candidate
from windtunnel.pipeline.told import Told, ask_models

__all__ = ["Remembered"]

_KEPT = 8


class Remembered:
    """What the models said of one market, kept for the last few different sets of models.

    Stands in for :func:`~windtunnel.pipeline.told.ask_models`, always with the same market and benchmark.
    """

    def __init__(self) -> None:
        self._told: OrderedDict[Any, tuple[Market, Told]] = OrderedDict()

    def __call__(
        self,
        market: Market,
        candidate: Candidate,
        benchmark: str | None,
        tick: Tick,
        keeper: Keeper | None = None,
    ) -> tuple[Market, Told]:
        """Return what the models of a candidate said."""
        if candidate.acts_alone:
            return ask_models(market, candidate, benchmark, tick, keeper)
        key = _models(candidate)
        if key not in self._told:
            self._told[key] = ask_models(market, candidate, benchmark, tick, keeper)
            if len(self._told) > _KEPT:
                self._told.popitem(last=False)
        self._told.move_to_end(key)
        return self._told[key]


def _models(candidate: Candidate) -> tuple[str, ...]:
    """Return all that the models' answers depend on."""
    parts = (candidate.volatility, candidate.regime, *candidate.patterns, candidate.reliability)
    said = [f"{part.plugin!r} {part.section!r}" for part in parts if part is not None]
    return (*said, repr(candidate.rules) if candidate.patterns else "")
