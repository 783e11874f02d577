"""Verifies a whole experiment: its data source, then its pipeline."""

from __future__ import annotations

from windtunnel.experiment import Loaded
from windtunnel.learn import Tick, silent
from windtunnel.reporting.text import called
from windtunnel.runner import Found, candidate, search
from windtunnel.runner import dataset as load_dataset
from windtunnel.testing.causality import states, verify
from windtunnel.testing.findings import Verification
from windtunnel.testing.source import source_leak

__all__ = ["verify_experiment"]


def verify_experiment(loaded: Loaded, *, cuts: int = 20, seed: int = 0, tick: Tick = silent) -> Verification:
    """Verify an experiment; its source is asked for less, too, and the bars that remain must be the same.

    Of a sweep, the candidate that it chooses is verified. That choice itself sees all bars, as it must.
    Parameters are those of :func:`verify`.

    Raises
    ------
    InvalidValueError
        If there are less than two bars, or no cuts.
    DataError, PluginError
        If the data cannot be loaded, or the full run fails.
    """
    dataset = load_dataset(loaded)
    bars, found = dataset.bars, None if loaded.space is None else search(loaded, dataset, tick)
    judged = verify(
        bars,
        candidate(loaded) if found is None else found.candidate,
        benchmark=loaded.experiment.benchmark_of(bars.symbols),
        cuts=cuts,
        seed=seed,
        host=loaded.host,
        tick=tick,
    )
    leak = source_leak(loaded.source, loaded.experiment.data, bars, judged.cuts, loaded.host)
    findings = judged.findings if leak is None else (leak, *judged.findings)
    stages = states(["data", *judged.stages], findings)
    return Verification(stages, findings, judged.cuts, judged.runs, _subject(found), judged.notes)


def _subject(found: Found | None) -> str:
    """Say what of a sweep is verified."""
    if found is None:
        return ""
    strategy = found.candidate.strategy.plugin
    chosen = called({"use": strategy.name, "params": strategy.params()})
    return f"Verified is {chosen}, the best of {len(found.sweep):,} combinations; the choice saw all bars."
