"""Which bars to choose parameters on, and which to judge them by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from windtunnel.errors import InvalidValueError
from windtunnel.values import Bounds, Split

__all__ = ["combinatorial", "holdout", "purged_kfold", "walk_forward"]


def holdout(bars: int, *, share: float, purge: int = 0) -> Split:
    """Judge by the last ``share`` of the bars, and leave ``purge`` bars out before them.

    Raises
    ------
    InvalidValueError
        If either side is left without a bar.
    """
    first = bars - round(bars * share)
    if not 0 < share < 1 or not first - purge > 0 or first >= bars:
        raise InvalidValueError("share", f"must leave bars on both sides, of {bars}", share)
    return Split(((0, first - purge),), ((first, bars),))


def walk_forward(
    bars: int, *, train: int, test: int, purge: int = 0, anchored: bool = False
) -> Iterator[Split]:
    """Judge by ``test`` bars after ``train`` bars, then move on by ``test`` bars.

    Parameters
    ----------
    bars, train, test : int
    purge : int
        Bars left out between the two.
    anchored : bool
        Learn from the first bar on, ever more bars, rather than from the last ``train`` ones.

    Raises
    ------
    InvalidValueError
        If there is not a single split.
    """
    if train < 1 or test < 1 or train + purge + test > bars:
        raise InvalidValueError("train", f"must leave {test} of {bars} bars to judge by", train)
    for stop in range(train, bars - purge - test + 1, test):
        yield Split(((0 if anchored else stop - train, stop),), ((stop + purge, stop + purge + test),))


def purged_kfold(bars: int, *, folds: int, purge: int = 0, embargo: int = 0) -> Iterator[Split]:
    """Judge by each fold in turn and learn from the others; see :func:`combinatorial`."""
    yield from combinatorial(bars, folds=folds, judged=1, purge=purge, embargo=embargo)


def combinatorial(bars: int, *, folds: int, judged: int, purge: int = 0, embargo: int = 0) -> Iterator[Split]:
    """Judge by every choice of ``judged`` folds and learn from the others.

    Parameters
    ----------
    bars, folds, judged : int
        Folds are of equal length, the last takes the remainder.
    purge : int
        Bars left out on both sides of each stretch that is judged.
    embargo : int
        Further bars left out after each.

    Raises
    ------
    InvalidValueError
        If there are too few folds, or too few bars for them.

    Notes
    -----
    Source: López de Prado (2018), Advances in Financial Machine Learning, sections 7.4 and 12.4.
    """
    if folds < 2 or folds > bars:
        raise InvalidValueError("folds", f"must be at least 2 and at most the {bars} bars", folds)
    if not 1 <= judged < folds:
        raise InvalidValueError("judged", f"must be at least 1 and less than {folds} folds", judged)
    edges = [bars // folds * place for place in range(folds)] + [bars]
    spans = list(pairwise(edges))
    for chosen in combinations(range(folds), judged):
        test = [spans[place] for place in chosen]
        yield Split(tuple(_rest(bars, test, purge, embargo)), tuple(test))


def _rest(bars: int, test: Sequence[Bounds], purge: int, embargo: int) -> Iterator[Bounds]:
    """Yield the spans between those that are judged, without what must be left out."""
    begin = 0
    for first, stop in [*test, (bars + purge, bars)]:
        if first - purge > begin:
            yield begin, first - purge
        begin = stop + purge + embargo
