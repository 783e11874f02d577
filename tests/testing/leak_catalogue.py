"""Every leak that is planted, whatever stage it is in: what it is, and how to have it found."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch

from causality_cases import BARS, strategy

from windtunnel.bars import Bars
from windtunnel.data import DataSection, load
from windtunnel.pipeline import Candidate
from windtunnel.plugin import DataSource, Strategy, build_host
from windtunnel.testing import Finding, Verification, verify
from windtunnel.testing.source import source_leak

__all__ = ["CUTS", "Leak", "catalogue", "in_exposure"]

CUTS = 6
"""Cuts for each leak: few, so that none is found by trying often."""
HOST = build_host()


@dataclass(frozen=True)
class Leak:
    """A mistake that reads the future.

    Parameters
    ----------
    name, sentence : str
        What it is called, and what it does.
    stage : str
        The stage that must be blamed, and no other but the engine.
    candidate : Candidate or DataSource
        What makes the mistake.
    bars : Bars
    patches : mapping of str to callable
        What is replaced in the framework, where the mistake is its own.
    only : str
        The one provocation that shows it; empty where several do.
    """

    name: str
    sentence: str
    stage: str
    candidate: Candidate | DataSource
    bars: Bars = BARS
    patches: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    only: str = ""

    @property
    def plugin(self) -> str:
        """The plugin that is to blame."""
        if isinstance(self.candidate, DataSource):
            return self.candidate.name
        model = getattr(self.candidate, self.stage)
        return str((model[0] if isinstance(model, tuple) else model).plugin.name)

    def found(self) -> tuple[Finding, ...]:
        """Verify it."""
        if isinstance(self.candidate, DataSource):
            section = DataSection(use=self.candidate.name)
            bars = load(self.candidate, section).bars
            cuts = tuple(len(bars) * part // 10 for part in range(2, 10))
            finding = source_leak(self.candidate, section, bars, cuts, HOST)
            return () if finding is None else (finding,)
        return self.verified().findings

    def verified(self) -> Verification:
        """Verify the pipeline."""
        with ExitStack() as stack:
            for target, replacement in self.patches.items():
                stack.enter_context(patch(target, replacement))
            assert isinstance(self.candidate, Candidate)
            return verify(self.bars, self.candidate, cuts=CUTS, host=HOST)


def in_exposure(name: str, sentence: str, **options: Any) -> Callable[[Callable[[Any], Any]], Leak]:
    """Make a leak of a function from a market to exposure."""

    def made(exposure: Callable[[Any], Any]) -> Leak:
        body = {"name": name, "__doc__": sentence, "__module__": exposure.__module__}
        plugin: type[Strategy] = type(
            name, (Strategy,), body | {"exposure": lambda self, market: exposure(market)}
        )
        return Leak(name, sentence, "strategy", strategy(plugin()), **options)

    return made


def catalogue() -> Iterator[Leak]:
    """Yield every leak, stage by stage."""
    import leaks_in_data
    import leaks_in_framework
    import leaks_in_models
    import leaks_in_strategies

    for module in (leaks_in_data, leaks_in_models, leaks_in_strategies, leaks_in_framework):
        yield from (leak for leak in vars(module).values() if isinstance(leak, Leak))
