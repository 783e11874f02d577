"""Regimes as the hidden states of a Markov chain."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le

from windtunnel.market import Market
from windtunnel.plugin import RegimeModel, State
from windtunnel.values import FloatArray, Regimes, Tune
from windtunnel_plugins.regimes._baum_welch import Prior, learn
from windtunnel_plugins.regimes._dwell import standing
from windtunnel_plugins.regimes._naming import NAMES, by_name, codes_of
from windtunnel_plugins.regimes._pool import Scales, own_rows, pooled

__all__ = ["HiddenMarkov"]


class HiddenMarkov(RegimeModel):
    """Learns hidden states, each with a drift and volatility of its own, and filters which one it is.

    Notes
    -----
    The log return of a bar is normal, with the mean and deviation of the state; the state follows a Markov
    chain. Means, deviations and transitions are learned from the training bars of all symbols together by
    expectation-maximisation (Baum et al. 1970; Rabiner 1989, section III), the likeliest of ``restarts``
    first guesses. Few moves from state to state are seen in even many bars, so each state's are shrunk
    towards those of all states together, with the weight of ``alike`` bars; and its drift towards none, with
    the weight of ``flat`` bars.

    The answer is the forward filter (Hamilton 1989, equations 4 to 8), which rests on returns up to the bar
    alone; smoothed probabilities or the likeliest path would look ahead. States are named by their learned
    drift and volatility, as ``_naming`` says; those of one name add up.

    Returns are measured in a volatility of the symbol, as ``_pool`` says, so that calm and wild symbols can
    be learned from together. The model abstains on a symbol's first bar, and with fewer than ``least``
    returns to learn from, or prices that never move. Evidence is the drift and volatility a year expected
    of the bar's states.
    """

    name = "hidden_markov"

    states: Annotated[int, Ge(2), Le(8), Tune(2, 5)] = 4
    """Number of hidden states."""
    alike: Annotated[float, Ge(0), Le(1e6), Tune(10, 10_000, log=True)] = 1000.0
    """Bars that count as seen, in each state, to be followed as in all states together: how far states are
    taken to last equally long and to follow each other equally often."""
    flat: Annotated[float, Ge(0), Le(1e6)] = 60.0
    """Bars that count as seen, in each state, without drift."""
    dwell: Annotated[int, Ge(1), Le(100_000), Tune(1, 20)] = 3
    """Bars for which a regime stands at least."""
    restarts: Annotated[int, Ge(1), Le(1000)] = 8
    """First guesses that learning starts from."""
    steps: Annotated[int, Ge(1), Le(100_000)] = 200
    """Most steps of expectation-maximisation."""
    least: Annotated[int, Ge(10)] = 120
    """Fewest returns to learn from."""
    most: Annotated[int, Gt(1000)] = 200_000
    """Most returns to learn from; beyond, symbols are drawn by lot."""
    seed: Annotated[int, Ge(0)] = 0
    """The same seed gives the same states."""

    @property
    def warmup(self) -> int:
        """The first bar has no return."""
        return 1

    def fit(self, market: Market) -> State:
        """Return the chain, the names of its states and the symbols' scales; None with too few returns."""
        scales = Scales.learned(market)
        sequences = pooled(market.log_returns() / scales.panel(market.symbols), self.most, self.seed)
        if sum(len(one) for one in sequences) < self.least:
            return None
        prior = Prior(self.alike, self.flat)
        chain = learn(sequences, self.states, prior, self.restarts, self.steps, self.seed)
        year = market.periods_per_year
        return {
            **scales.state(),
            "start": chain.start,
            "transitions": chain.transitions,
            "mean": chain.mean,
            "deviation": chain.deviation,
            "codes": codes_of(chain.mean * year, chain.deviation * np.sqrt(year), chain.weight),
        }

    def predict(self, market: Market, state: State) -> Regimes:
        """Return the filtered probability of each name, ``[T, N, 4]``."""
        probabilities = np.full((*market.shape, len(NAMES)), np.nan)
        drift, volatility = np.full((2, *market.shape), np.nan)
        evidence = {"drift": drift, "volatility": volatility}
        if state is None:
            return Regimes(NAMES, probabilities, evidence)
        from windtunnel_plugins.regimes._markov import filtered

        chain = [state[key] for key in ("start", "transitions", "mean", "deviation")]
        returns, year = market.log_returns(), market.periods_per_year
        for column, scale in enumerate(Scales.of_state(state).panel(market.symbols)):
            own = own_rows(returns[:, column])
            if np.isnan(scale) or not len(own):
                continue
            weights = filtered(returns[own, column] / scale, *chain)
            probabilities[own, column] = standing(by_name(weights, state["codes"]), self.dwell)
            drift[own, column], deviation = _moments(weights, state["mean"], state["deviation"])
            drift[own, column] *= scale * year
            volatility[own, column] = deviation * scale * np.sqrt(year)
        return Regimes(NAMES, probabilities, evidence)


def _moments(weights: FloatArray, mean: FloatArray, deviation: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and deviation of a mixture of the states, ``[T]``."""
    expected = weights @ mean
    return expected, np.sqrt(weights @ (mean**2 + deviation**2) - expected**2)
