"""The verdict's reason, in words."""

from __future__ import annotations

from math import isnan

from windtunnel.values import Call, Verdict

__all__ = ["because"]


def because(figures: Verdict, call: Call, lacking: str, allowed: float) -> str:
    """Return one to three sentences that say what the call rests on.

    Parameters
    ----------
    figures : Verdict
        All but the call and the reason.
    call : str
    lacking : str
        What there is too little of to say anything; empty where there is enough.
    allowed : float
        The p-value up to which a result is likely real.
    """
    if lacking:
        return lacking
    said = [_shown(figures), _luck(figures)]
    if call != "likely overfit":
        said.append(_chance(figures, allowed))
    return " ".join(part for part in said if part)


def _shown(figures: Verdict) -> str:
    """Say what was measured: the two ratios, and that of holding the benchmark over the same bars."""
    if isnan(figures.outside):
        if isnan(figures.inside):
            return ""
        return f"In sample Sharpe {_ratio(figures.inside)}{_holding(figures.benchmark)}."
    inside = f"In sample Sharpe {_ratio(figures.inside)}; " if not isnan(figures.inside) else ""
    first = "out" if inside else "Out"
    return f"{inside}{first} of sample {_ratio(figures.outside)}{_holding(figures.benchmark)}."


def _holding(benchmark: float) -> str:
    return "" if isnan(benchmark) else f" (holding the benchmark {_ratio(benchmark)})"


def _luck(figures: Verdict) -> str:
    """Say what a search of this size shows without an edge."""
    if figures.trials < 2 or isnan(figures.deflated):
        return ""
    overfit = "" if isnan(figures.overfit) else f", PBO {figures.overfit:.2f}"
    earlier = f", {figures.earlier:,} of them of earlier runs," if figures.earlier else ""
    return (
        f"After {figures.trials:,} trials{earlier} the best of pure luck would show "
        f"{_ratio(figures.expected)} (deflated Sharpe {figures.deflated:.2f}{overfit})."
    )


def _chance(figures: Verdict, allowed: float) -> str:
    if isnan(figures.chance):
        return ""
    share = "less than 0.1%" if figures.chance < 0.001 else f"{figures.chance:.1%}"
    more = f", more than the {allowed:.1%} allowed" if figures.chance > allowed else ""
    against = "cash" if isnan(figures.benchmark) else "cash and the benchmark at equal risk"
    return f"Without an edge over {against} it would look as good with a probability of {share}{more}."


def _ratio(value: float) -> str:
    return f"{value:z.2f}".replace("-", "−")
