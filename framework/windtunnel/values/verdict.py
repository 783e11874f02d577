"""Is it real, or luck? The answer, and what it rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = ["Call", "Verdict"]

Call: TypeAlias = Literal["likely real", "cannot tell", "likely overfit"]


@dataclass(frozen=True)
class Verdict:
    """What speaks for and against an optimised result; Sharpe ratios a year, NaN where not defined.

    Parameters
    ----------
    call : {"likely real", "cannot tell", "likely overfit"}
    because : str
        Why, in words: the part of the sentence after the call.
    trials : int
        Different parameter sets ever tried on that data and family; what the deflation counts.
    earlier : int
        How many of them other runs tried.
    effective : float
        How many independent ones they are worth, by clustering; shown, not used.
    years : float
        Of data that the judged returns cover.
    inside, outside : float
        In sample: of the choice on all data. Out of sample: of the stitched result; NaN where the result was
        not validated.
    benchmark, benchmark_inside : float
        Of holding the benchmark, over the bars that are judged and over those in sample; NaN without one.
    chance : float
        p-value that decides, of the next two: how often the result would look as good without an edge over
        cash and the benchmark at equal risk.
    chance_search : float
        How often the luckiest of all trials would show as much as was shown in sample.
    chance_outside : float
        How often the result out of sample would be as good, after the looks of earlier runs; NaN where it was
        not validated.
    expected : float
        The highest that so many trials without any edge would show on average; counted from the benchmark's
        ratio in sample where that is above 0.
    probabilistic : float
        Probability that the true ratio of the judged returns is above 0.
    deflated : float
        Probability that the ratio in sample is more than the luckiest of the trials would show.
    overfit : float
        Probability of backtest overfitting.
    halvings : int
        How many ways to halve the data it rests on.
    track_record, backtest_length : float
        Years: minimum track record length, of the judged returns against 0; minimum backtest length, lest
        the luckiest of so many trials shows as much as was shown in sample.
    reality : mapping of str to float
        p-values: ``spa_lower``, ``spa``, ``spa_upper`` and ``reality_check`` against the benchmark.
    superior : int
        Trials that the stepwise test finds better than the benchmark.
    tested : int
        Trials that these tests looked at.
    permutation : float
        p-value of the signal: how often it earned as much when it was shifted against the prices; NaN where
        weights were not at hand.
    intervals : mapping of str to (float, float, float)
        Value, low and high end of each headline metric of the judged returns.
    level : float
        Of the intervals.
    """

    call: Call
    because: str
    trials: int
    earlier: int
    effective: float
    years: float
    inside: float
    outside: float
    benchmark: float
    benchmark_inside: float
    chance: float
    chance_search: float
    chance_outside: float
    expected: float
    probabilistic: float
    deflated: float
    overfit: float
    halvings: int
    track_record: float
    backtest_length: float
    reality: Mapping[str, float]
    superior: int
    tested: int
    permutation: float
    intervals: Mapping[str, tuple[float, float, float]]
    level: float = 0.95

    @property
    def sentence(self) -> str:
        """The call and the reason, as the report begins with them."""
        return f"{self.call[0].upper()}{self.call[1:]}. {self.because}"
