"""Search, validation and the statistics of fooling oneself."""

from windtunnel.optimize.backtest_overfitting import Overfitting, block_sums, overfitting
from windtunnel.optimize.schemes import combinatorial, holdout, purged_kfold, walk_forward
from windtunnel.optimize.sharpe import (
    deflated_sharpe,
    expected_maximum,
    minimum_backtest_length,
    minimum_track_record,
    probabilistic_sharpe,
)
from windtunnel.optimize.verdict import Evidence, judge

__all__ = [
    "Evidence",
    "Overfitting",
    "block_sums",
    "combinatorial",
    "deflated_sharpe",
    "expected_maximum",
    "holdout",
    "judge",
    "minimum_backtest_length",
    "minimum_track_record",
    "overfitting",
    "probabilistic_sharpe",
    "purged_kfold",
    "walk_forward",
]
