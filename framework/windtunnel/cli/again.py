"""What to try next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from windtunnel.experiment import Loaded
    from windtunnel.plugin import Plugin
    from windtunnel.values import Tune

__all__ = ["overrides_to_try"]


def overrides_to_try(loaded: Loaded, assignments: Sequence[str]) -> list[str]:
    """Return the overrides of the next run to try: those of this one, and one parameter changed.

    Of a sweep, which changes the parameters itself, the metric is changed; of an optimisation the seed,
    or where there is nothing random the objective.
    """
    key, value = _changed(loaded)
    kept = [text for text in assignments if text.partition("=")[0].strip() != key]
    return [part for text in (*kept, f"{key}={value}") for part in ("--set", text)]


def _changed(loaded: Loaded) -> tuple[str, Any]:
    section = loaded.experiment.optimize
    if section is not None and loaded.optimizer is not None:
        if loaded.optimizer.ends:
            return "optimize.objective", "sortino" if section.objective == "sharpe" else "sharpe"
        if section.seed is not None:
            return "optimize.seed", section.seed + 1
        return "seed", loaded.experiment.seed + 1
    return _change(loaded) if loaded.space is None else _other_metric(loaded)


def _change(loaded: Loaded) -> tuple[str, Any]:
    """Return a parameter of the strategy and another legal value; where there is none, twice the fees."""
    from windtunnel.plugin import tuned

    strategy = loaded.strategy
    params = strategy.params()
    for name, tune in tuned(type(strategy)).items():
        for value in _others(params[name], tune):
            if _is_legal(strategy, {**params, name: value}, loaded):
                return f"strategy.params.{name}", value
    return "backtest.fees", 2 * loaded.experiment.backtest.fees or 0.001


def _other_metric(loaded: Loaded) -> tuple[str, str]:
    section = loaded.experiment.sweep
    by_return = section is not None and section.metric == "total_return"
    return "sweep.metric", "sharpe" if by_return else "total_return"


def _others(value: Any, tune: Tune) -> Iterator[float]:
    """Yield values of a range: half of ``value`` and twice, then closer ones; none where it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    for factor in (0.5, 2, 0.8, 1.25):
        other = round(value * factor) if isinstance(value, int) else float(f"{value * factor:.3g}")
        if other != value and tune.low <= other <= tune.high:
            yield other


def _is_legal(strategy: Plugin, params: dict[str, Any], loaded: Loaded) -> bool:
    try:
        type(strategy).from_params(params, host=loaded.host)
    except Exception:  # noqa: BLE001 - a stranger's validator may raise anything
        return False
    return True
