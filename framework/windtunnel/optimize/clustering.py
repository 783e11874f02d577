"""How many different things were tried, by how alike their returns are."""

from __future__ import annotations

from math import sqrt

import numpy as np

from windtunnel.values import BoolArray, FloatArray, IntArray

__all__ = ["effective_trials"]

_MOST = 10
_STARTS = 3
_NOISE = 1e-14


def effective_trials(returns: FloatArray, seed: int) -> int:
    """Return the number of clusters among trials' returns.

    It understates how many were tried, for clusters hold trials that still differ: to be shown, not used.

    Parameters
    ----------
    returns : array of float64, ``[T, K]``
        Of at most some 1,000 trials. Those that never vary are one cluster more.
    seed : int
        Same inputs and seed give the same number.

    Notes
    -----
    Optimal number of clusters: k-means on the distances ``√((1 − ρ) / 2)`` for 2 to 10 clusters, of which
    the one with the highest mean silhouette over its deviation is kept; the clusters of less than average
    quality are split again as long as that raises their mean quality. Source: López de Prado & Lewis (2019),
    Detection of false investment strategies using unsupervised learning methods, section 4.
    """
    varies = returns.std(axis=0) > _NOISE
    still = int(not varies.all())
    kept = returns[:, varies]
    if kept.shape[1] < 2 or len(kept) < 3:
        return int(kept.shape[1]) + still
    correlation = np.clip(np.corrcoef(kept, rowvar=False), -1.0, 1.0)
    distance = np.sqrt((1 - correlation) / 2)
    distinct = _distinct(distance)
    return len(_split(distance[np.ix_(distinct, distinct)], seed)) + still


def _distinct(distance: FloatArray) -> IntArray:
    """Return one of each group of trials whose returns are the same up to scale."""
    same = distance < sqrt(_NOISE) * 10
    return np.flatnonzero(np.argmax(same, axis=1) == np.arange(len(same)))


def _split(distance: FloatArray, seed: int) -> list[float]:
    """Return the quality of each cluster, which is how many there are."""
    if len(distance) < 4:
        return [0.0] * len(distance)
    labels, silhouette = _best(distance, seed)
    groups = [labels == label for label in range(int(labels.max()) + 1)]
    quality = [_quality(silhouette[group]) for group in groups]
    average = float(np.mean(quality))
    weak = [place for place, value in enumerate(quality) if value < average]
    if len(weak) <= 2 or len(weak) == len(groups):
        return quality
    chosen: BoolArray = np.isin(labels, weak)
    again = _split(distance[np.ix_(chosen, chosen)], seed)
    if float(np.mean(again)) <= float(np.mean([quality[place] for place in weak])):
        return quality
    return [value for place, value in enumerate(quality) if place not in weak] + again


def _best(distance: FloatArray, seed: int) -> tuple[IntArray, FloatArray]:
    """Return the labels and silhouettes of the best number of clusters."""
    from sklearn.cluster import KMeans

    apart = np.sqrt(np.maximum(_squares(distance), 0.0))
    found, highest = None, -np.inf
    for count in range(2, min(_MOST, len(distance) - 1) + 1):
        labels = KMeans(count, n_init=_STARTS, random_state=seed).fit_predict(distance).astype(np.int64)
        silhouette = _silhouette(apart, labels)
        if found is None or _quality(silhouette) > highest:
            found, highest = (labels, silhouette), _quality(silhouette)
    assert found is not None  # noqa: S101 - there are at least four trials
    return found


def _squares(distance: FloatArray) -> FloatArray:
    length = (distance * distance).sum(axis=1)
    return np.asarray(length[:, None] + length - 2 * distance @ distance.T)


def _silhouette(apart: FloatArray, labels: IntArray) -> FloatArray:
    """Return how much nearer each is to its own cluster than to the next, −1 … 1; 0 for one alone.

    Source: Rousseeuw (1987), Silhouettes.
    """
    member = np.eye(int(labels.max()) + 1)[labels]
    size, rows = member.sum(axis=0), np.arange(len(labels))
    total = apart @ member
    own = total[rows, labels] / np.maximum(size[labels] - 1, 1)
    other = total / size
    other[rows, labels] = np.inf
    nearest = other.min(axis=1)
    widest = np.maximum(np.maximum(own, nearest), _NOISE)
    return np.where(size[labels] > 1, (nearest - own) / widest, 0.0)


def _quality(silhouette: FloatArray) -> float:
    spread = float(silhouette.std())
    return float(silhouette.mean()) / spread if spread > _NOISE else float(silhouette.mean())
