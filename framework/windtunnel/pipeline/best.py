"""The best combination of a sweep, backtested as an ordinary candidate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from windtunnel.bars import Bars
from windtunnel.errors import InvalidValueError
from windtunnel.learn import Keeper, Tick, silent
from windtunnel.pipeline.candidate import Candidate, Part
from windtunnel.pipeline.choice import Choice
from windtunnel.pipeline.result import Result
from windtunnel.pipeline.rule_grid import PREFIX, changed
from windtunnel.pipeline.run import run
from windtunnel.pipeline.sweep import Sweep
from windtunnel.values import Metric

__all__ = ["combination", "run_best"]


def combination(candidate: Candidate, sweep: Sweep, choice: Choice) -> Candidate:
    """Return a candidate with the strategy's parameters and the rules that a sweep chose."""
    own = {name: value for name, value in choice.parameters.items() if not name.startswith(PREFIX)}
    rules = {name: value for name, value in choice.parameters.items() if name.startswith(PREFIX)}
    strategy = sweep.space.build(own)
    if strategy is None:
        raise InvalidValueError("choice", "must be legal", own)
    section = candidate.strategy.section.model_copy(update={"params": strategy.params()})
    return replace(candidate, strategy=Part(strategy, section), rules=changed(sweep.space.rules.base, rules))


def run_best(
    bars: Bars,
    candidate: Candidate,
    sweep: Sweep,
    choice: Choice,
    *,
    name: str = "backtest",
    benchmark: str | None = None,
    seed: int = 0,
    metrics: Sequence[Metric] = (),
    tick: Tick = silent,
    keeper: Keeper | None = None,
) -> Result:
    """Backtest the best combination of a sweep; the result says that it was chosen, and from how many.

    Parameters
    ----------
    bars : Bars
    candidate : Candidate
        What surrounds the strategy; see :func:`combination`.
    sweep : Sweep
    choice : Choice
        Which of its combinations.
    name, benchmark, seed, metrics, tick, keeper
        As for :func:`~windtunnel.pipeline.run`.
    """
    chosen = combination(candidate, sweep, choice)
    result = run(
        bars, chosen, name=name, benchmark=benchmark, seed=seed, metrics=metrics, tick=tick, keeper=keeper
    )
    return replace(result, sweep=sweep, choice=choice, sentence=_sentence(result, sweep, choice))


def _sentence(result: Result, sweep: Sweep, choice: Choice) -> str:
    """Say that it was chosen in sample, how it compares, and what its neighbours make of the choice."""
    said, comparison = result.sentence, result.comparison
    if comparison is not None and comparison.special is None and result.benchmark is not None:
        plain = comparison.sentence(result.benchmark.name)
        caveat = ", which does not allow for the choice"
        if comparison.verdict == "beat":
            caveat += " and so shows no edge"
        said = said.replace(plain, f"{plain.removesuffix('.')}{caveat}.")
    count = f"the best of {len(sweep):,} combinations" if len(sweep) > 1 else "the only legal combination"
    return f"It was chosen in sample as {count} by {choice.by}. {said} {choice.sentence}"
