"""What is searched of a setting where no range is given."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Annotated, Any, Literal, get_args, get_origin

from windtunnel.experiment.node import dotted
from windtunnel.experiment.parameters import forms_of
from windtunnel.experiment.settings import Setting
from windtunnel.optimize.sections import Range
from windtunnel.values import Choices, Dimension, Span, Tune

__all__ = ["declared", "is_whole"]

_FRAMEWORK = {
    "scorer.threshold": Tune(0.5, 0.8),
    "sizing.target_volatility": Tune(0.05, 0.4),
    "gate.within": Tune(1, 20),
    "backtest.stop_loss": Tune(0.02, 0.2),
    "backtest.take_profit": Tune(0.02, 0.4),
    "backtest.trailing_stop": Tune(0.02, 0.3),
    "backtest.stop_loss.atr": Tune(1, 6),
    "backtest.take_profit.atr": Tune(1, 12),
    "backtest.trailing_stop.atr": Tune(1, 8),
    "backtest.max_bars": Tune(5, 250, log=True),
    "backtest.cooldown": Tune(0, 20),
}
"""What is searched of the framework's own settings."""


def declared(setting: Setting) -> Dimension | None:
    """Return the range that a setting declares, or all its values where they can be listed; else None.

    Of a number that may also be null, or a word, the numbers are searched.
    """
    tune = _tune(setting)
    if tune is not None:
        return Span(tune, is_whole(setting))
    values = [list(_values(form)) for form in forms_of(setting.field.annotation)]
    return Choices(tuple(value for one in values for value in one)) if all(values) else None


def is_whole(setting: Setting, form: Range | None = None) -> bool:
    """Say whether a setting is a whole number; where it may be anything, whether its range is."""
    forms = set(map(_plain, forms_of(setting.field.annotation)))
    if forms & {int, float}:
        return float not in forms
    return form is not None and isinstance(form.from_, int) and isinstance(form.to, int)


def _tune(setting: Setting) -> Tune | None:
    stated = [*setting.field.metadata, *_stated(setting.field.annotation)]
    found = [item for item in stated if isinstance(item, Tune)]
    return found[-1] if found else _FRAMEWORK.get(dotted(setting.path))


def _stated(annotation: Any) -> Iterator[Any]:
    """Yield what is said of a type, and of the members of a union."""
    if get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
    for argument in get_args(annotation):
        yield from _stated(argument)


def _plain(form: Any) -> Any:
    return form if isinstance(form, type) else object


def _values(form: Any) -> Iterator[Any]:
    """Yield the values of a form that has few; nothing of another."""
    if form is bool:
        yield from (False, True)
    elif form is type(None):
        yield None
    elif get_origin(form) is Literal:
        yield from get_args(form)
    elif isinstance(form, type) and issubclass(form, Enum):
        yield from (item.value for item in form)
