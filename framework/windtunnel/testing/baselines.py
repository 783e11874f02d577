"""Holds experiments to results that were written down: red when one moves, and for no other reason."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from windtunnel.errors import MissingExtraError, WindtunnelError
from windtunnel.experiment import Loaded
from windtunnel.experiment import load as load_experiment
from windtunnel.learn import Tick, silent
from windtunnel.pipeline import Result
from windtunnel.runner import compute, identity
from windtunnel.runner import dataset as load_dataset
from windtunnel.runner.searched import best_of, plain_values
from windtunnel.store import write_json
from windtunnel.testing.changes import causes, first_fill, moved
from windtunnel.testing.differences import RELATIVE
from windtunnel.testing.stages import data, decided
from windtunnel.testing.trace import trace

__all__ = ["CheckReport", "check", "compare", "experiments_in", "record"]

FORMAT = 1
TOLERANCE = {"relative": 1e-6, "absolute": 1e-9, "fills": RELATIVE}
"""How far a metric may move, for it may magnify the rounding of the fills that it sums up; and a fill.

A baseline keeps the tolerance that is written into it: a model that is fitted by iteration ends a little
elsewhere on another processor.
"""
MOST_FILLS = 3500
"""Fills that are written down one by one, some 200 kB; of those after them only the number and the hash."""


@dataclass(frozen=True)
class CheckReport:
    """What became of one experiment.

    Parameters
    ----------
    name : str
        Of the experiment; the config's path if it cannot be loaded.
    state : str
        ``same``; ``moved``; ``missing``, there is no baseline; ``failed``, it does not run or the baseline
        cannot be read; ``skipped``, it needs what is not installed; ``written``, the baseline is new.
    headline : str
        What moved.
    details : tuple of str
        The first fill that differs, as it was and as it is; what else changed.
    exit_code : int
        What the command line should return for it.
    """

    name: str
    state: Literal["same", "moved", "missing", "failed", "skipped", "written"]
    headline: str = ""
    details: tuple[str, ...] = ()
    exit_code: int = 0

    def __str__(self) -> str:
        mark = "✗" if self.exit_code else "–" if self.state == "skipped" else "✓"
        head = "   ".join(part for part in (f"{mark} {self.name}", self.headline) if part)
        return "\n".join([head, *(f"    {line}" for line in self.details)])


def record(result: Result, loaded: Loaded) -> dict[str, Any]:
    """Return what a baseline holds: the metrics, the fills, and all that they came from.

    A fill is a line of time, units, price and symbol, to 12 digits; ``trace`` is a digest of what each stage
    said in each of some 64 stretches of bars. ``because`` is left for whoever writes it. Of a sweep, what it
    chose from how many stands beside them; the fills are those of the best.
    """
    return {
        "format": FORMAT,
        "name": result.name,
        "because": None,
        "metrics": {name: None if value != value else value for name, value in result.metrics.items()},
        "tolerance": dict(TOLERANCE),
        **_sweep(result),
        **_optimized(result),
        "fills": _fills(result),
        "trace": trace(result.bars, {"data": data(result.bars), **decided(result.decision)}),
        **identity(loaded, result.bars),
    }


def _sweep(result: Result) -> dict[str, Any]:
    if result.sweep is None or result.choice is None:
        return {}
    sweep, choice = result.sweep, result.choice
    figures = {"combinations": len(sweep), "left_out": sweep.illegal, choice.metric: choice.value}
    around = None if choice.around != choice.around else choice.around
    return {"sweep": {**figures, "neighbours_mean": around, "best": best_of(choice)}}


def _optimized(result: Result) -> dict[str, Any]:
    found = result.optimized
    if found is None:
        return {}
    names = [metric.name for metric in found.objectives]
    figures = dict(zip(names, found.final.inside.tolist(), strict=True))
    best = plain_values(found.trials.point(found.final.chosen))
    return {"optimized": {"trials": len(found.trials), **figures, "best": best}}


def _fills(result: Result) -> dict[str, Any]:
    fills = result.simulation.fills
    time = np.datetime_as_string(result.bars.time, unit="auto")[fills.bar]
    symbol = np.array(result.bars.symbols)[fills.symbol]
    digest = blake2b("\0".join([*time, *symbol]).encode(), digest_size=16)
    for column in (fills.units, fills.price, fills.fee):
        digest.update(column.tobytes())
    kept = zip(time, fills.units, fills.price, symbol, strict=True)
    lines = [f"{at} {units:+.12g} {price:.12g} {name}" for at, units, price, name in islice(kept, MOST_FILLS)]
    return {"count": len(fills), "hash": digest.hexdigest(), "first": lines}


def compare(was: Mapping[str, Any], now: Mapping[str, Any]) -> CheckReport:
    """Compare two records of one experiment, ``was`` being the baseline.

    Metrics and fills may differ by the baseline's tolerance: the hash of the fills is exact, and where it
    differs the fills decide.
    """
    figures = [
        *_chosen("sweep", was, now),
        *_chosen("optimized", was, now),
        *moved(was["metrics"], now["metrics"], was["tolerance"]),
    ]
    fill = None
    if was["fills"]["hash"] != now["fills"]["hash"]:
        fill = first_fill(was["fills"], now["fills"], was["tolerance"].get("fills", TOLERANCE["fills"]))
    if not figures and fill is None:
        return CheckReport(str(now["name"]), "same")
    headline = "   ".join([*figures[:3], *([f"and {len(figures) - 3} more"] if len(figures) > 3 else [])])
    lines = () if fill is None else (f"was   {fill.was}", f"now   {fill.now}")
    if fill is not None:
        headline = "   ".join(part for part in (headline, f"fills differ from no. {fill.number} on") if part)
    return CheckReport(str(now["name"]), "moved", headline, (*lines, *causes(was, now)), 1)


def _chosen(key: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Return what moved of a search: the best of it first."""
    before, after = ({**side.get(key, {}), **side.get(key, {}).get("best", {})} for side in (was, now))
    for side in (before, after):
        side.pop("best", None)
    found = moved(before, after, was["tolerance"]) if key in was else []
    return [f"best {text}" if "." in text.partition(" ")[0] else f"{key} {text}" for text in found]


def experiments_in(folder: str | Path) -> list[Path]:
    """Return the YAML files of a folder that are experiments: they have a strategy, or extend another.

    A file that cannot be read as YAML counts, so that it is not passed over.
    """
    from windtunnel.errors import ConfigError
    from windtunnel.experiment.document import parse

    found = []
    for path in sorted(Path(folder).glob("*.yaml")):
        try:
            keys = parse(path.read_bytes(), str(path), []).value
        except ConfigError:
            keys = ("strategy",)
        if isinstance(keys, Mapping | tuple) and {"strategy", "extends"} & set(keys):
            found.append(path)
    return found


def check(
    configs: Sequence[str | Path],
    baselines: str | Path,
    *,
    update: bool = False,
    because: str | None = None,
    skip: bool = False,
    tick: Tick = silent,
) -> list[CheckReport]:
    """Run experiments, without keeping the runs, and compare each with ``<baselines>/<name>.json``.

    Parameters
    ----------
    configs : sequence of path
    baselines : path
        A folder.
    update : bool
        Write the baselines instead, but for those that nothing changed for.
    because : str, optional
        Why the results moved, to stand in the baselines that are written.
    skip : bool
        Pass over an experiment that needs an extra which is not installed.
    tick : callable
        Told after every experiment.

    Returns
    -------
    list of CheckReport
        One for each config. An experiment that cannot be run is reported, not raised.
    """
    reports: list[CheckReport] = []
    owners: dict[str, str] = {}
    for done, config in enumerate(configs, start=1):
        try:
            loaded = load_experiment(config)
            name = loaded.experiment.name
            owner = owners.setdefault(name, str(config))
            if owner != str(config):
                problem = f"{config} has the name of {owner}; each needs a baseline of its own"
                reports.append(CheckReport(name, "failed", problem, (), 2))
                continue
            now = _now(loaded)
            path = Path(baselines) / f"{name}.json"
            reports.append(_written(path, now, because) if update else _checked(path, now, config))
        except WindtunnelError as error:
            reports.append(_failed(config, error, skip=skip))
        tick("check", done, len(configs))
    return reports


def _failed(config: str | Path, error: WindtunnelError, *, skip: bool) -> CheckReport:
    if skip and isinstance(error, MissingExtraError):
        return CheckReport(str(config), "skipped", f"skipped: {error}")
    first, *rest = str(error).splitlines()
    return CheckReport(str(config), "failed", first, tuple(rest), error.exit_code)


def _now(loaded: Loaded) -> dict[str, Any]:
    dataset = load_dataset(loaded)
    return record(compute(loaded, dataset), loaded)


def _read(path: Path) -> dict[str, Any] | None:
    """Return a baseline; None where there is none that can be used."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and found.get("format") == FORMAT else None


def _checked(path: Path, now: Mapping[str, Any], config: str | Path) -> CheckReport:
    name = str(now["name"])
    was = _read(path)
    if was is not None:
        return compare(was, now)
    remedy = f"write it with: windtunnel check --update {config}"
    if path.exists():
        return CheckReport(name, "failed", f"the baseline {path} cannot be read", (remedy,), 1)
    return CheckReport(name, "missing", f"there is no baseline {path}", (remedy,), 1)


def _written(path: Path, now: dict[str, Any], because: str | None) -> CheckReport:
    was = _read(path)
    report = CheckReport(str(now["name"]), "written", "new baseline") if was is None else compare(was, now)
    same = report.state == "same"
    now["tolerance"] = now["tolerance"] if was is None else was["tolerance"]
    now["because"] = because if because is not None or was is None or not same else was["because"]
    if was is None or {**was, "because": None} != {**now, "because": None} or because is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, now)
    return report if same else CheckReport(report.name, "written", report.headline, report.details)
