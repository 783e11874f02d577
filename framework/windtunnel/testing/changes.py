"""How two records of one experiment differ, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from windtunnel.testing.differences import RELATIVE
from windtunnel.testing.trace import first_stretch

__all__ = ["FillChange", "causes", "first_fill", "moved"]

_HEADLINES = ("sharpe", "total_return", "max_drawdown", "trades", "fees")
_NO_MORE = "no more fills"
_MOST = 6


@dataclass(frozen=True)
class FillChange:
    """The first fill that differs: its number from 1, as it was and as it is."""

    number: int
    was: str
    now: str


@dataclass(frozen=True)
class _Fill:
    time: str
    units: float
    price: float
    symbol: str

    @classmethod
    def read(cls, line: str) -> _Fill:
        time, units, price, symbol = line.split(" ", 3)
        return cls(time, float(units), float(price), symbol)

    def like(self, other: _Fill, slack: float) -> bool:
        return (
            (self.time, self.symbol) == (other.time, other.symbol)
            and abs(self.units - other.units) <= slack * abs(self.units)
            and abs(self.price - other.price) <= slack * abs(self.price)
        )


def moved(was: Mapping[str, Any], now: Mapping[str, Any], tolerance: Mapping[str, float]) -> list[str]:
    """Return every metric that moved, as ``sharpe 0.412 → 0.405``, the best known first.

    Whole numbers may not move at all. A metric that is new is none that moved.
    """
    names = sorted(was, key=lambda name: name not in _HEADLINES)
    names.sort(key=lambda name: _HEADLINES.index(name) if name in _HEADLINES else len(_HEADLINES))
    return [
        f"{name} {_pair(was[name], now.get(name))}"
        for name in names
        if not _close(was[name], now.get(name), tolerance)
    ]


def first_fill(was: Mapping[str, Any], now: Mapping[str, Any], slack: float = RELATIVE) -> FillChange | None:
    """Return the first fill that differs by more than ``slack``, a share of its units and its price.

    None where those written down agree.
    """
    before, after = ([_Fill.read(line) for line in fills["first"]] for fills in (was, now))
    for number, (old, new) in enumerate(zip_longest(before, after), start=1):
        if old is None or new is None or not old.like(new, slack):
            several = len({fill.symbol for fill in (*before, *after)}) > 1
            return FillChange(number, *_sides(old, new, several))
    if was["count"] != now["count"]:
        return FillChange(len(before) + 1, f"{was['count']:,} fills in all", f"{now['count']:,} fills in all")
    return None


def _sides(old: _Fill | None, new: _Fill | None, several: bool) -> tuple[str, str]:
    """Write two fills below each other, with as many digits as it takes to tell them apart."""
    for digits in range(2, 13):
        sides = [_NO_MORE if fill is None else _written(fill, digits, several) for fill in (old, new)]
        if sides[0] != sides[1]:
            break
    return sides[0], sides[1]


def _written(fill: _Fill, digits: int, several: bool) -> str:
    side = "buy " if fill.units > 0 else "sell"
    symbol = f" {fill.symbol}" if several else ""
    return f"{fill.time} {side} {abs(fill.units):,.{digits}f}{symbol} @ {fill.price:,.{digits}f}"


def causes(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield where two records first part, and what changed of all that decides a result."""
    parted = first_stretch(was["trace"], now["trace"])
    if parted is not None:
        yield f"first difference: {_stage(parted[0], now['config'])}, in the bars from {parted[1]} on"
    changes = {
        "data": [] if was["data"] == now["data"] else ["data changed"],
        "config": list(_settings(was["config"], now["config"])),
        "plugins": list(_plugins(was["plugins"], now["plugins"])),
        "versions": list(_versions(was["versions"], now["versions"])),
    }
    if not any(changes.values()):
        yield "data, config, plugins and versions are the same: the run is not deterministic"
        return
    parts = [part for name, found in changes.items() for part in _few(found) or [f"{name} same"]]
    yield " · ".join(parts)


def _stage(stage: str, config: Mapping[str, Any]) -> str:
    """Return a stage with the plugin behind it."""
    section = config.get(stage)
    sections = section if isinstance(section, list) else [section]
    used = [one["use"] for one in sections if isinstance(one, Mapping) and "use" in one]
    return " ".join([stage, ", ".join(used)]).strip()


def _settings(was: Any, now: Any, path: str = "") -> Iterator[str]:
    """Yield every setting that changed, by its dotted path."""
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in {**was, **now}:
            yield from _settings(was.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    elif was != now:
        yield f"{path} {_plain(was)} → {_plain(now)}"


def _plugins(was: list[dict[str, str]], now: list[dict[str, str]]) -> Iterator[str]:
    """Yield every plugin that changed: its package, version, source or what it reads."""
    before, after = ({(row["kind"], row["name"]): row for row in rows} for rows in (was, now))
    for who in {**before, **after}:
        old, new = before.get(who), after.get(who)
        if old is None or new is None:
            yield f"{' '.join(who)} {'is new' if old is None else 'is gone'}"
        elif old != new:
            origins = [f"{row['package']} {row['version']}".strip() for row in (old, new)]
            how = "changed" if origins[0] == origins[1] else " → ".join(origins)
            yield f"{' '.join(who)} {how}"


def _versions(was: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    """Yield every library whose version changed, and Windtunnel if only its source did."""
    for name in {**was, **now}:
        old, new = was.get(name, "none"), now.get(name, "none")
        released = [version.partition("+")[0] for version in (old, new)]
        if old != new:
            yield (
                f"{name} {' → '.join(released)}" if released[0] != released[1] else f"{name}'s source changed"
            )


def _few(found: list[str]) -> list[str]:
    return [*found[:_MOST], f"{len(found) - _MOST} more"] if len(found) > _MOST else found


def _close(was: Any, now: Any, tolerance: Mapping[str, float]) -> bool:
    if was is None or now is None or isinstance(was, int):
        return bool(was == now)
    slack = tolerance["relative"] * max(abs(was), abs(now)) + tolerance["absolute"]
    return bool(abs(was - now) <= slack)


def _pair(was: Any, now: Any) -> str:
    """Write two figures with as many digits as it takes to tell them apart."""
    if not (isinstance(was, float) and isinstance(now, float)):
        return f"{_plain(was)} → {_plain(now)}"
    for digits in range(3, 16):
        old, new = (f"{value:.{digits}f}".replace("-", "−") for value in (was, now))
        if old != new:
            break
    return f"{old} → {new}"


def _plain(value: Any) -> str:
    return "none" if value is None else str(value)
