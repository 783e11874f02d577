"""How much of the best of many trials may be luck."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Luck"]


@dataclass(frozen=True)
class Luck:
    """What a search of so many trials shows by luck alone, beside what it showed; Sharpe ratios a year.

    Parameters
    ----------
    trials : int
    years : float
        Of data.
    sharpe : float
        Of the trial that was chosen.
    expected : float
        The highest that so many trials without any edge, as different from each other as these, would show
        on average.
    deflated : float
        Probability that the chosen one is more than that (the deflated Sharpe ratio).
    overfit : float
        Share of the ways to halve the data in which the best of one half fell into the worse half of the
        other (the probability of backtest overfitting).
    halvings : int
        How many ways there are.
    """

    trials: int
    years: float
    sharpe: float
    expected: float
    deflated: float
    overfit: float
    halvings: int

    @property
    def sentence(self) -> str:
        """All of it in words."""
        shown, expected = (f"{value:.2f}".replace("-", "−") for value in (self.sharpe, self.expected))
        return (
            f"Of {self.trials:,} trials without any edge the luckiest would show a Sharpe ratio of about "
            f"{expected}; this one has {shown}, more than luck with a probability of {self.deflated:.0%} "
            f"(deflated Sharpe ratio). In {self.overfit:.0%} of {self.halvings:,} ways to halve the data the "
            "best of one half fell into the worse half of the other (probability of backtest overfitting)."
        )
