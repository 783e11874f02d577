"""Where a result comes from, in words: data, plugins, versions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from windtunnel.reporting.series import clock
from windtunnel.reporting.text import counted, number, plain, stamp

if TYPE_CHECKING:
    from windtunnel.pipeline.result import Result

__all__ = ["facts"]

_TOLD = ("name", "sentence", "comparison", "benchmark", "effects", "signals", "sweep", "optimized", "verdict")
"""What stands further up in the report."""
_OF_DATA = {
    "provided_by": "provided by",
    "library": "library",
    "gaps": "bars missing",
    "repairs": "rows repaired",
    "resample": "resampled to",
    "timezone": "time zone",
    "periods_per_year": "bars a year",
}


def facts(result: Result) -> Iterator[tuple[str, str]]:
    """Yield a label and what it says, of the data and of all that the manifest holds."""
    bars, time = result.bars, clock(result.bars)
    span = f"{stamp(time[0])} … {stamp(time[-1])}, {counted(len(bars), 'bar')}"
    yield "data", f"{', '.join(bars.symbols)}: {span}"
    yield "content of the data", bars.hash
    for name, value in result.manifest.items():
        if name == "data" and isinstance(value, Mapping):
            yield from _data(value)
        elif name == "plugins" and isinstance(value, list | tuple):
            yield from map(_plugin, value)
        elif name not in _TOLD and _says_something(value):
            yield ("run" if name == "id" else name.replace("_", " ")), _said(value)


def _says_something(value: Any) -> bool:
    return value is not None and value not in ("", (), [], {})


def _data(data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, label in _OF_DATA.items():
        if _says_something(data.get(key)):
            yield label, _said(data[key])


def _plugin(plugin: Any) -> tuple[str, str]:
    if not isinstance(plugin, Mapping):
        return "plugin", _said(plugin)
    known = {key: value for key, value in plugin.items() if _says_something(value)}
    label = " ".join(str(known.pop(key)) for key in ("kind", "name") if key in known)
    origin = " ".join(str(known.pop(key)) for key in ("package", "version") if key in known)
    rest = [f"{key.replace('_', ' ')} {_said(value)}" for key, value in known.items()]
    return label, ", ".join([origin, *rest])


def _said(value: Any) -> str:
    """Return a value as one would write it: words for true and false, four decimals at most."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value, 0 if value.is_integer() else 4)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_said(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_said, value))
    return str(value) if isinstance(value, str) else plain(value)
