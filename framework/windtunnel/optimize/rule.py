"""When a result is called likely real, likely overfit, or neither.

**What is asked.** Whether the result has an edge: a true Sharpe ratio after costs above 0 *and*, where there
is a benchmark, above the benchmark's, so that at equal risk it earns more than both cash and holding. A share
of an index that rises has a ratio above 0 and still no edge.

**Likely real** is a test of "no edge". There are two, each against cash and against the benchmark, of which
the worse counts:

- *The search*: how often would the luckiest of all trials show as large an advantage over all bars as the
  choice does, if none had any? The distribution of the luckiest is that of Hansen's (2005) consistent test,
  from bootstrap samples of the trials together, so that trials which are alike count as one and those that
  differ count in full; this is the p-value of the first step of the stepwise test (Romano & Wolf 2005).
- *Out of sample*: the stitched returns are one series that nothing was chosen by, so it needs no deflation
  for the trials of its own run: its advantage in standard errors of the stationary bootstrap, against a
  normal distribution.

With both, there are two ways to convince, at half the level each (Bonferroni): out of sample alone; or the
search, as long as out of sample agrees at eight times its level. So ``p = 2 min(o, max(s, o / 8))``, at most
5%: that is 2.5% out of sample, or 2.5% of the search and 20% out of sample. Bars out of sample are few, so
alone they often cannot tell; the search sees all bars, and trusts its own count of trials. Without validation
there is the search alone, and the level is 2.5%: nothing has confirmed it on other bars.

*Earlier trials* of the family have seen the same bars, out of sample or not. Their returns are gone, so they
are counted as if they were independent: N trials in all, of which this run (or its test) covers K, are N / K
looks, and p becomes ``1 − (1 − p)^(N / K)`` (Šidák 1967). Out of sample there are at least as many looks as
there were different searches, for the same trials judged by other folds or another objective are another
look. Whoever runs a search again until it is good out of sample pays for each time; whoever sweeps thousands
and then validates the best few pays for all. Trials that were not tested because there are too many count the
same way.

**Likely overfit** is not the opposite of it. It needs a search that found something in sample, which is no
more than luck by the test of superior predictive ability at 5%, and most of the signs of luck: the deflated
Sharpe ratio is below one half (in sample it is less than the luckiest of so many trials without an edge would
show on average); the probability of backtest overfitting is at least one half (what is best in one half of
the bars falls below the median in the other); validated, less than half of the advantage in sample is left
out of sample.

**Cannot tell** is the rest: too few bars or trades, or an advantage that may be luck without the signs of it.

The deflated Sharpe ratio does not decide that a result is real. Its yardstick is the spread of the trials'
ratios: where a search covers real edges and real losses, their spread looks like luck. Here that spread is at
most the sampling error of a single ratio, since trials without an edge cannot differ by more (the cap is
ours; the rest is Bailey & López de Prado 2014). How often the rule errs is measured in benchmarks/truth.
"""

from __future__ import annotations

from math import isnan

from windtunnel.optimize.because import because
from windtunnel.values import Call, Verdict

__all__ = ["combined", "decide", "edge", "level", "looks"]

_LEVEL = 0.05
_HALF = 0.5
_AGREES = 8
"""How many times its own level out of sample may take where it only has to agree with the search."""


def looks(chance: float, trials: int, covered: int) -> float:
    """Return a p-value after as many looks as it takes to try so many trials, so many at a time.

    Notes
    -----
    Source: Šidák (1967), Rectangular confidence regions for the means of multivariate normal distributions.
    """
    return float(1 - (1 - chance) ** max(trials / max(covered, 1), 1.0))


def combined(search: float, outside: float) -> float:
    """Return the p-value that decides, of that of the search and that out of sample.

    Either may be NaN: where not validated it is that of the search, untested that out of sample.
    """
    if isnan(outside):
        return search
    ways = (outside, 1.0 if isnan(search) else max(search, outside / _AGREES))
    return min(1.0, 2 * min(ways))


def level(outside: float) -> float:
    """Return up to which p-value a result is likely real; half as high for one that is not validated."""
    return _LEVEL / 2 if isnan(outside) else _LEVEL


def edge(sharpe: float, benchmark: float) -> float:
    """Return how far a Sharpe ratio is above the benchmark's and 0; NaN for no benchmark counts as 0."""
    return sharpe - max(0.0, 0.0 if isnan(benchmark) else benchmark)


def decide(figures: Verdict, lacking: str = "") -> tuple[Call, str]:
    """Return the call and the reason.

    Parameters
    ----------
    figures : Verdict
        All but these two.
    lacking : str
        What there is too little of to say anything; empty where there is enough.
    """
    call: Call = "cannot tell"
    if not lacking:
        if figures.chance <= level(figures.outside):
            call = "likely real"
        elif _found(figures) and _signs(figures):
            call = "likely overfit"
    return call, because(figures, call, lacking, level(figures.outside))


def _found(figures: Verdict) -> bool:
    """Say whether a search found an advantage in sample that may be luck."""
    found = edge(figures.inside, figures.benchmark_inside) > 0
    return figures.trials > 1 and found and not figures.reality.get("spa", 1.0) <= _LEVEL


def _signs(figures: Verdict) -> bool:
    """Say whether most of the signs of luck that can be seen are there."""
    signs = []
    if not isnan(figures.deflated):
        signs.append(figures.deflated < _HALF)
    if not isnan(figures.overfit):
        signs.append(figures.overfit >= _HALF)
    if not isnan(figures.outside):
        kept = edge(figures.outside, figures.benchmark)
        signs.append(kept < _HALF * edge(figures.inside, figures.benchmark_inside))
    return sum(signs) > len(signs) / 2
