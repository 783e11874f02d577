"""What is measured: the workloads, what they mean, who takes part and how fast we must be."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CASES", "METRICS", "Case", "Floor", "case", "single_windows"]

METRICS = ("total_return", "sharpe", "max_drawdown", "trades", "win_rate")
FEES = 0.001
PERIODS = 365.0
"""Periods in a year for Sharpe; vectorbt's default for daily bars, used for all bars here."""

_CROSS = "long while SMA fast > slow, fill at the close, all in, fee 0.1%"


@dataclass(frozen=True)
class Floor:
    """What our side must reach: seconds, megabytes, and how often faster than a peer of the same run."""

    seconds: float
    megabytes: float = float("inf")
    peer: str = ""
    times: float = 0.0


@dataclass(frozen=True)
class Case:
    """One workload.

    Parameters
    ----------
    name, title, meaning : str
        Name for ``--only``; what it is; what is computed, in a line.
    bars, combinations : int
        Size; bars × combinations is the work.
    largest : int
        Largest window of the grid; 0 for no grid.
    peers : tuple of str
        Who takes part, the one whose results ours are held to first.
    floor : Floor
    repeat : int
        How many times more calls than ``--reps``, where a call is short.
    """

    name: str
    title: str
    meaning: str
    bars: int
    combinations: int
    peers: tuple[str, ...]
    floor: Floor
    largest: int = 0
    repeat: int = 1


CASES = (
    Case(
        "W1-5k",
        "one backtest, 5,000 bars",
        _CROSS,
        5_000,
        1,
        ("vectorbt", "raptorbt", "backtesting"),
        Floor(0.0003),
        repeat=10,
    ),
    Case(
        "W1-1M",
        "one backtest, 1,000,000 bars",
        _CROSS,
        1_000_000,
        1,
        ("vectorbt", "raptorbt", "backtesting"),
        Floor(0.020),
    ),
    Case(
        "W2",
        "SMA grid, 10,011 × 5,000 bars",
        _CROSS,
        5_000,
        10_011,
        ("vectorbt", "raptorbt"),
        Floor(0.15, 300, "raptorbt", 25),
        largest=143,
    ),
    Case(
        "W3",
        "SMA grid, 1,035 × 100,000 bars",
        _CROSS,
        100_000,
        1_035,
        ("vectorbt", "raptorbt"),
        Floor(0.3, 400),
        largest=47,
    ),
    Case(
        "W4",
        "500 symbols × 5,000 bars",
        "equal weights in the 50 best of the past year, every 21 bars, shared cash, fee 0.1%",
        5_000,
        500,
        ("vectorbt", "polars_backtest"),
        Floor(0.040),
    ),
    Case(
        "W5",
        "100 stops × 100 targets, 5,000 bars",
        "entry every 20 bars, stop before target, a gap fills at the open, fee 0.1%",
        5_000,
        10_000,
        ("vectorbt",),
        Floor(0.06),
    ),
    Case(
        "W7",
        "a cold process to its first result",
        "import and one backtest of 5,000 bars, from the start of the interpreter",
        5_000,
        1,
        ("vectorbt", "raptorbt", "backtesting"),
        Floor(1.5),
    ),
)


def case(name: str) -> Case:
    """Return the workload of that name."""
    return next(one for one in CASES if one.name == name)


def single_windows(call: int) -> tuple[int, int]:
    """Return the windows of a call of a single backtest: others at every call, so that no memo is timed.

    The fast ones are odd and the slow ones even, so that no average comes twice. Call 0 is not timed; its
    windows are long, so that on a million bars the fees leave something to compare.
    """
    return (201, 601) if call == 0 else (9 + 2 * call, 30 + 2 * call)
