"""The recursions of a hidden Markov model with a Gaussian observation."""

from __future__ import annotations

from typing import Any

import numpy as np

from windtunnel.engine.compiled import compiled

__all__ = ["expectation", "filtered"]


@compiled
def filtered(values: Any, start: Any, transitions: Any, mean: Any, deviation: Any) -> Any:
    """Return the probability of each state at each bar, given the observations up to it, ``[T, K]``.

    Parameters
    ----------
    values : array of float64, ``[T]``
    start, transitions : array of float64, ``[K]`` and ``[K, K]``
        Probabilities of the first state; and of each state (column) after each state (row).
    mean, deviation : array of float64, ``[K]``

    Notes
    -----
    The forward recursion of Hamilton (1989), Econometrica 57, equations 4 to 8.
    """
    rows, states = len(values), len(start)
    found, density = np.empty((rows, states)), np.empty(states)
    constant = np.log(deviation)
    for t in range(rows):
        for k in range(states):
            density[k] = -0.5 * ((values[t] - mean[k]) / deviation[k]) ** 2 - constant[k]
        top, total = density.max(), 0.0
        for k in range(states):
            prior = start[k]
            if t > 0:
                prior = 0.0
                for j in range(states):
                    prior += found[t - 1, j] * transitions[j, k]
            found[t, k] = prior * np.exp(density[k] - top)
            total += found[t, k]
        for k in range(states):
            found[t, k] = found[t, k] / total if total > 0 else 1 / states
    return found


@compiled
def expectation(values: Any, begins: Any, start: Any, transitions: Any, mean: Any, deviation: Any) -> Any:
    """Return what one step of expectation-maximisation rests on, by the forward-backward recursions.

    Parameters
    ----------
    values : array of float64, ``[T]``
        Several sequences one after another.
    begins : array of bool, ``[T]``
        Where a sequence begins.
    start, transitions, mean, deviation
        As for :func:`filtered`.

    Returns
    -------
    tuple
        The log likelihood; the expected number of sequences that begin in each state ``[K]``; of moves from
        state to state ``[K, K]``; and the expected number, sum and sum of squares of the observations of
        each state, ``[3, K]``.

    Notes
    -----
    Rabiner (1989), Proceedings of the IEEE 77, sections III and V.A (scaling).
    """
    rows, states = len(values), len(start)
    density, forward, scale = np.empty((rows, states)), np.empty((rows, states)), np.empty(rows)
    constant = np.log(deviation) + 0.5 * np.log(2.0 * np.pi)
    likelihood = 0.0
    for t in range(rows):
        top = -np.inf
        for k in range(states):
            density[t, k] = -0.5 * ((values[t] - mean[k]) / deviation[k]) ** 2 - constant[k]
            top = max(top, density[t, k])
        total = 0.0
        for k in range(states):
            density[t, k] = np.exp(density[t, k] - top)
            prior = start[k]
            if not begins[t]:
                prior = 0.0
                for j in range(states):
                    prior += forward[t - 1, j] * transitions[j, k]
            forward[t, k] = prior * density[t, k]
            total += forward[t, k]
        scale[t] = max(total, 1e-300)
        for k in range(states):
            forward[t, k] /= scale[t]
        likelihood += np.log(scale[t]) + top
    first, moves, sums = np.zeros(states), np.zeros((states, states)), np.zeros((3, states))
    backward, ahead = np.ones(states), np.empty(states)
    for t in range(rows - 1, -1, -1):
        for k in range(states):
            share = forward[t, k] * backward[k]
            sums[0, k] += share
            sums[1, k] += share * values[t]
            sums[2, k] += share * values[t] ** 2
            if begins[t]:
                first[k] += share
            ahead[k] = density[t, k] * backward[k] / scale[t]
        for j in range(states):
            backward[j] = 1.0
            if not begins[t]:
                backward[j] = 0.0
                for k in range(states):
                    moves[j, k] += forward[t - 1, j] * transitions[j, k] * ahead[k]
                    backward[j] += transitions[j, k] * ahead[k]
    return likelihood, first, moves, sums
