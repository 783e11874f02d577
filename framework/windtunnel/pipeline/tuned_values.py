"""The values that a strategy's own ranges stand for in a sweep."""

from __future__ import annotations

from typing import Any, get_args

import numpy as np

from windtunnel.plugin import Plugin, tuned
from windtunnel.values import Tune

__all__ = ["tuned_values"]

_MOST = 20


def tuned_values(strategy: type[Plugin]) -> dict[str, list[Any]]:
    """Return up to 20 values of every parameter that declares a search range, evenly over the range.

    Evenly in the logarithm where the range says so; both ends are among them. Whole numbers are rounded,
    each once.
    """
    return {
        name: _spread(tune, whole=_is_whole(strategy.model_fields[name].annotation))
        for name, tune in tuned(strategy).items()
    }


def _spread(tune: Tune, *, whole: bool) -> list[Any]:
    if tune.step is not None:
        steps = np.floor((tune.high - tune.low) / tune.step + 1e-9)
        every = tune.low + tune.step * np.arange(steps + 1)
        points = every[np.unique(np.linspace(0, steps, min(_MOST, len(every))).round().astype(np.int64))]
    else:
        space = np.geomspace if tune.log else np.linspace
        points = space(tune.low, tune.high, _MOST)
    if whole:
        return [int(value) for value in np.unique(points.round())]
    return [float(f"{value:.6g}") for value in points.tolist()]


def _is_whole(annotation: Any) -> bool:
    """Tell whether a parameter is a whole number, or that or nothing."""
    forms = {form for form in get_args(annotation) or (annotation,) if form is not type(None)}
    return forms == {int}
