"""Probabilities out of what a model says: only as much as holds up on outcomes that it did not see."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from windtunnel.learn import purged_folds
from windtunnel.values import BoolArray, FloatArray, IntArray, Outcomes

__all__ = ["calibrate"]

ROUNDING = 1e-12
"""Added to the log-odds of the share of wins, lest its probability come out below that share."""


def calibrate(
    moves_of: Callable[[IntArray, IntArray], FloatArray], bar: IntArray, outcomes: Outcomes, folds: int
) -> tuple[float, float]:
    """Return intercept a and slope b of the log-odds of a win, a + b × move.

    Each block of time is judged by a model that learned from the others, purged of what overlaps (López de
    Prado 2018, Advances in Financial Machine Learning, section 7.4), and a logistic regression of the wins on
    those moves gives a and b (Platt 1999, Probabilistic outputs for support vector machines). Signals of the
    same weeks share their fate, so the variance v of b is that of Liang & Zeger (1986), Biometrika 73, with
    time in pieces as long as an outcome takes. By what it may owe to chance b shrinks, to b × max(0, 1 − v ÷
    b²) (Efron & Morris 1973, Stein's estimation rule and its competitors). A negative b counts as 0, and with
    0 all signals get the share of wins, so that a threshold at this share refuses none.

    Parameters
    ----------
    moves_of : callable
        ``moves_of(train, test)`` returns how far a model that learned from the rows ``train`` moves the
        log-odds of the rows ``test`` from the middle of what it saw.
    bar : array of int64, ``[n]``
    outcomes : Outcomes
    folds : int
        Blocks of time.
    """
    moves = np.full(len(bar), np.nan)
    for train, test in purged_folds(bar, outcomes.known, folds):
        if 0 < outcomes.won[train].sum() < len(train):
            moves[test] = moves_of(train, test)
    share = float(outcomes.won.mean())
    nothing = float(np.log(share / (1 - share))) + ROUNDING, 0.0
    judged = ~np.isnan(moves)
    won, unit = outcomes.won[judged], float(moves[judged].std()) if judged.any() else 0.0
    if not unit > 0 or won.all() or not won.any():
        return nothing
    length = max(1, round(float((outcomes.known - bar).mean())))
    intercept, slope, variance = _regress(moves[judged] / unit, won, bar[judged] // length)
    kept = 1 - variance / slope**2 if slope > 0 else 0.0
    if not kept > 0:
        return nothing
    return intercept + slope * (1 - kept) * float(moves[judged].mean()) / unit, slope * kept / unit


def _regress(moves: FloatArray, won: BoolArray, piece: IntArray) -> tuple[float, float, float]:
    """Return intercept, slope and the slope's variance, robust to whatever pieces of time have in common.

    Half the squared slope is the penalty, so that wins and losses that a move tells apart are no trouble.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-8).fit(moves[:, None], won)
    intercept, slope = float(model.intercept_[0]), float(model.coef_[0, 0])
    probability = (1 + np.tanh((intercept + slope * moves) / 2)) / 2
    seen = np.column_stack([np.ones(len(moves)), moves])
    bread = np.linalg.inv(seen.T @ (seen * (probability * (1 - probability))[:, None]))
    _, place = np.unique(piece, return_inverse=True)
    pieces = np.zeros((place.max() + 1, 2))
    np.add.at(pieces, place, seen * (won - probability)[:, None])
    if len(pieces) < 2:
        return intercept, slope, np.inf
    spread = bread @ (pieces.T @ pieces) @ bread * len(pieces) / (len(pieces) - 1)
    return intercept, slope, float(spread[1, 1])
