"""Learn a Gaussian hidden Markov model by expectation-maximisation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["Chain", "Prior", "learn"]

_WINDOWS = (10, 20, 40, 80)
"""Bars over which the first guesses of the states are smoothed."""
_STAY = 0.96
"""Probability of staying in a state, at first."""
_TRIAL = 10
"""Steps after which the less likely half of the first guesses is dropped, doubled each time."""
_SETTLED = 1e-7
"""Rise of the log likelihood a bar at which learning ends."""
_LEAST = 1e-3
"""No state's deviation is less than this share of the deviation over all bars."""
_EMPTY = 1e-8
"""A state with a smaller expected number of bars has nothing to be learned from."""


@dataclass(frozen=True, eq=False)
class Chain:
    """A hidden Markov model of K states.

    Parameters
    ----------
    start, transitions : array of float64, ``[K]`` and ``[K, K]``
        Probabilities of the first state; and of each state (column) after each state (row).
    mean, deviation : array of float64, ``[K]``
        Of what is observed.
    weight : array of float64, ``[K]``
        Expected share in each state of the bars learned from.
    likelihood : float
        Log likelihood of what was learned from, before the last step, with the prior.
    """

    start: FloatArray
    transitions: FloatArray
    mean: FloatArray
    deviation: FloatArray
    weight: FloatArray
    likelihood: float = -np.inf


@dataclass(frozen=True)
class Prior:
    """What is believed beforehand: bars that count as seen in each state.

    Parameters
    ----------
    alike : float
        So many that were followed as in all states together: equally likely to stay, and to leave for any
        other.
    flat : float
        So many without drift.
    """

    alike: float = 0.0
    flat: float = 0.0

    def log(self, chain: Chain) -> float:
        """Return the logarithm of the density of the means, up to a constant."""
        return float(-0.5 * self.flat * ((chain.mean / chain.deviation) ** 2).sum())

    def moves(self, moves: FloatArray) -> FloatArray:
        """Add the moves that count as seen to the expected ones, ``[K, K]``."""
        states = len(moves)
        stay = np.trace(moves) / max(moves.sum(), _EMPTY)
        even = np.full((states, states), (1 - stay) / max(states - 1, 1))
        np.fill_diagonal(even, stay)
        return np.asarray(moves + self.alike * even)


def learn(
    sequences: Sequence[FloatArray], states: int, prior: Prior, restarts: int, steps: int, seed: int
) -> Chain:
    """Return the likeliest of several models, each improved from another first guess.

    Parameters
    ----------
    sequences : sequence of array of float64, ``[T]``
        Not all values equal.
    states : int
    prior : Prior
    restarts, steps : int
        First guesses; most steps of improvement.
    seed : int

    Notes
    -----
    Baum, Petrie, Soules & Weiss (1970), Annals of Mathematical Statistics 41, with conjugate priors. That of
    the transitions is centred on the moves of all states together, found anew at every step (an empirical
    Bayes estimate), and has no part in the likelihood by which models are compared.
    """
    values = np.concatenate(sequences)
    begins = np.zeros(len(values), np.bool_)
    begins[np.cumsum([0, *(len(one) for one in sequences[:-1])])] = True
    left, trial = list(_guesses(sequences, states, restarts, seed)), _TRIAL
    while len(left) > 1:
        tried = [_improve(chain, values, begins, prior, min(trial, steps)) for chain in left]
        left = sorted(tried, key=lambda chain: -chain.likelihood)[: (len(tried) + 1) // 2]
        trial *= 2
    return _improve(left[0], values, begins, prior, steps)


def _improve(chain: Chain, values: FloatArray, begins: BoolArray, prior: Prior, steps: int) -> Chain:
    from windtunnel_plugins.regimes._markov import expectation

    least, reached = _LEAST * values.std(), -np.inf
    for _ in range(steps):
        likelihood, first, moves, sums = expectation(
            values, begins, chain.start, chain.transitions, chain.mean, chain.deviation
        )
        likelihood += prior.log(chain)
        chain = _maximise(likelihood, first, moves, sums, chain, prior, least)
        if likelihood - reached < _SETTLED * len(values):
            break
        reached = likelihood
    return chain


def _maximise(
    likelihood: float,
    first: FloatArray,
    moves: FloatArray,
    sums: FloatArray,
    old: Chain,
    prior: Prior,
    least: float,
) -> Chain:
    """Return the likeliest model given the expected counts; a state that nothing is in stays as it was."""
    count, total, squares = sums
    seen = count > _EMPTY
    divisor = np.where(seen, count, 1.0)
    mean = np.where(seen, total / (divisor + prior.flat), old.mean)
    around = squares - 2 * mean * total + (count + prior.flat) * mean**2
    variance = np.where(seen, around / divisor, old.deviation**2)
    moves = prior.moves(moves)
    left = moves.sum(axis=1, keepdims=True)
    transitions = np.where(left > _EMPTY, moves / np.maximum(left, _EMPTY), old.transitions)
    return Chain(
        first / first.sum(),
        transitions,
        mean,
        np.sqrt(np.maximum(variance, least**2)),
        count / count.sum(),
        likelihood,
    )


def _guesses(sequences: Sequence[FloatArray], states: int, restarts: int, seed: int) -> Iterator[Chain]:
    """Guess states from drift and volatility smoothed over windows of several lengths."""
    random = np.random.default_rng(seed)
    values = np.concatenate(sequences)
    transitions = np.full((states, states), (1 - _STAY) / max(states - 1, 1))
    np.fill_diagonal(transitions, _STAY if states > 1 else 1.0)
    for restart in range(restarts):
        window = _WINDOWS[restart % len(_WINDOWS)]
        state = _nearest(np.concatenate([_smooth(one, window) for one in sequences]), states, random)
        count = np.bincount(state, minlength=states)
        mean = np.bincount(state, values, states) / count
        square = np.bincount(state, (values - mean[state]) ** 2, states) / count
        deviation = np.maximum(np.sqrt(square), 0.1 * values.std())
        yield Chain(np.full(states, 1 / states), transitions, mean, deviation, count / count.sum())


def _smooth(returns: FloatArray, window: int) -> FloatArray:
    """Return drift over volatility, and the logarithm of volatility, around each bar, ``[T, 2]``."""
    window = min(window, len(returns))
    sums = np.cumsum(np.vstack((np.zeros(2), np.column_stack((returns, returns**2)))), axis=0)
    first = np.clip(np.arange(len(returns)) - window // 2, 0, len(returns) - window)
    drift, square = ((sums[first + window] - sums[first]) / window).T
    volatility = np.sqrt(np.maximum(square, max(1e-12 * square.max(), 1e-300)))
    return np.column_stack((drift / volatility * np.sqrt(window), np.log(volatility)))


def _nearest(features: FloatArray, states: int, random: np.random.Generator) -> IntArray:
    """Give each bar to the nearest of some bars that are drawn far from each other.

    Arthur & Vassilvitskii (2007), k-means++: the advantages of careful seeding, section 2.2.
    """
    scale = features.std(axis=0)
    features = features / np.where(scale > 0, scale, 1.0)
    distance = np.full((len(features), states), np.inf)
    chance = np.ones(len(features))
    for state in range(states):
        chosen = int(random.choice(len(features), p=chance / chance.sum()))
        distance[:, state] = ((features - features[chosen]) ** 2).sum(axis=1)
        distance[chosen, state] = -1.0
        nearest = distance.min(axis=1)
        chance = np.where(nearest < 0, 0.0, nearest + 1e-12)
    return np.asarray(distance.argmin(axis=1))
