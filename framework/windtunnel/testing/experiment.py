"""Verifies a whole experiment: its data source, then its pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from windtunnel.bars import Bars
from windtunnel.data import load
from windtunnel.experiment import Loaded
from windtunnel.learn import Tick, silent
from windtunnel.reporting.text import called, stamp
from windtunnel.runner import Found, candidate, search
from windtunnel.runner import dataset as load_dataset
from windtunnel.testing.causality import states, verify
from windtunnel.testing.differences import Difference, first_difference
from windtunnel.testing.findings import Finding, Verification
from windtunnel.testing.memory import renewed
from windtunnel.testing.stages import data

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
    findings = (*_of_source(loaded, bars, judged.cuts), *judged.findings)
    stages = states(["data", *judged.stages], findings)
    return Verification(stages, findings, judged.cuts, judged.runs, _subject(found))


def _subject(found: Found | None) -> str:
    """Say what of a sweep is verified."""
    if found is None:
        return ""
    strategy = found.candidate.strategy.plugin
    chosen = called({"use": strategy.name, "params": strategy.params()})
    return f"Verified is {chosen}, the best of {len(found.sweep):,} combinations; the choice saw all bars."


def _of_source(loaded: Loaded, bars: Bars, cuts: tuple[int, ...]) -> Iterator[Finding]:
    """Yield the first difference between the bars and those that the source gives when asked for less.

    The last bar is left out: where bars are resampled, it may be made of less.
    """
    whole = data(bars)
    for cut in (cuts[len(cuts) // 2], cuts[0]):
        end = f"{bars.time[cut - 1]}{'' if bars.timezone is None else '+00:00'}"
        section = loaded.experiment.data.model_copy(update={"end": end})
        less = load(renewed(loaded.source), section).bars
        known = min(cut, len(less)) - 1
        difference = first_difference(whole, data(less), known)
        if difference is not None:
            yield _finding(loaded, bars, difference, known)
            return


def _finding(loaded: Loaded, bars: Bars, difference: Difference, known: int) -> Finding:
    time = bars.local_time
    return Finding(
        stage="data",
        plugin=loaded.source.name,
        package=str(loaded.host.provenance(type(loaded.source))),
        what=difference.what,
        symbol=bars.symbols[difference.symbol],
        time=stamp(time[difference.bar]),
        bar=difference.bar,
        before=difference.before,
        after=difference.after,
        cut=known + 1,
        known=stamp(time[known]),
        provoked="reloaded",
        ahead=known + 1 - difference.bar,
        runs=1,
        cause="prices are adjusted, filled or scaled by what came later",
    )
