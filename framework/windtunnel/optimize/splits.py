"""The splits that an experiment asks for, with what must be left out between them."""

from __future__ import annotations

from math import ceil

import numpy as np

from windtunnel.engine import Simulation
from windtunnel.errors import InvalidValueError
from windtunnel.optimize.schemes import combinatorial, holdout, purged_kfold, walk_forward
from windtunnel.optimize.sections import Holdout, PurgedKFold, ValidateSection, WalkForward
from windtunnel.pipeline import Candidate
from windtunnel.values import Split

__all__ = ["holding_length", "label_horizon", "splits_of"]


def label_horizon(candidate: Candidate) -> int:
    """Return over how many bars the longest label of a model looks ahead; 0 where no model has labels."""
    judges = [part for part in (candidate.scorer, candidate.reliability) if part is not None]
    horizons = [part.section.outcome.horizon for part in judges]
    if candidate.volatility is not None:
        horizons.append(candidate.volatility.section.horizon)
    return max(horizons, default=0)


def holding_length(simulation: Simulation) -> int:
    """Return the median length of a trade in bars, rounded up; 0 without trades."""
    lengths = simulation.trades.bars
    return ceil(float(np.median(lengths))) if len(lengths) else 0


def splits_of(
    section: ValidateSection, bars: int, label: int, holding: int
) -> tuple[tuple[Split, ...], int, int]:
    """Return the splits of an experiment, its purge and its embargo.

    Parameters
    ----------
    section : Holdout, WalkForward, PurgedKFold or Combinatorial
    bars : int
    label : int
        Bars that labels look ahead: so many are purged unless the section says otherwise, for the labels of
        the last of them reach into the bars that judge.
    holding : int
        Bars that a position is held: so many are embargoed after bars that judge unless the section says
        otherwise, for what was opened there is still held.

    Notes
    -----
    A walk judges every bar after its first training: the last stretch takes the remainder.

    Raises
    ------
    InvalidValueError
        If there are too few bars.
    """
    purge = label if section.purge is None else section.purge
    if isinstance(section, Holdout):
        return (holdout(bars, share=section.share, purge=purge),), purge, 0
    if isinstance(section, WalkForward):
        walk = walk_forward(
            bars, train=section.train, test=section.test, purge=purge, anchored=section.anchored
        )
        *steps, last = walk
        return (*steps, Split(last.train, ((last.test[0][0], bars),))), purge, 0
    embargo = holding if section.embargo is None else section.embargo
    if isinstance(section, PurgedKFold):
        found = purged_kfold(bars, folds=section.folds, purge=purge, embargo=embargo)
    else:
        found = combinatorial(bars, folds=section.folds, judged=section.judged, purge=purge, embargo=embargo)
    splits = tuple(found)
    if not all(split.train for split in splits):
        rule = f"must leave bars to learn from: {bars} bars, purge {purge}, embargo {embargo}"
        raise InvalidValueError("validate.folds", rule, section.folds)
    return splits, purge, embargo
