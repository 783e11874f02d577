"""The sections of an experiment that say how parameters are searched for, judged, and computed."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Literal, TypeAlias

from annotated_types import Ge, Gt, Lt
from pydantic import Discriminator, Field, Tag, model_validator

from windtunnel.errors import InvalidValueError
from windtunnel.values import ConfigModel, Tune

__all__ = [
    "Combinatorial",
    "ExecutionSection",
    "Holdout",
    "OptimizeSection",
    "PurgedKFold",
    "Range",
    "Scheme",
    "ValidateSection",
    "WalkForward",
]


class Range(ConfigModel):
    """Numbers to search, both ends among them."""

    from_: Annotated[int | float, Field(alias="from")]
    """The least."""
    to: int | float
    """The greatest."""
    step: Annotated[int | float, Gt(0)] | None = None
    """From one to the next; every whole number, or all between for others, if left out."""
    log: bool = False
    """Search the logarithm evenly."""

    @model_validator(mode="after")
    def _can_be_searched(self) -> Range:
        if self.from_ >= self.to:
            raise ValueError(f"from must be less than to (got from = {self.from_:g}, to = {self.to:g})")
        try:
            _ = self.tune
        except InvalidValueError as error:
            name = error.parameter.removeprefix("Tune.").replace("low", "from").replace("high", "to")
            rule = error.rule.replace("low", "from").replace("high", "to")
            raise ValueError(f"{name} {rule} (got {name} = {error.value:g})") from None
        return self

    @property
    def tune(self) -> Tune:
        """The same as a plugin declares it."""
        return Tune(self.from_, self.to, self.step, self.log)


Value: TypeAlias = bool | int | float | str | None


def _form(value: Any) -> str:
    if value is None:
        return "declared"
    return "range" if isinstance(value, dict | Range) else "list"


def _ways(value: Any) -> str:
    return "ranges" if isinstance(value, dict) else "paths"


Searched: TypeAlias = Annotated[
    Annotated[Range, Tag("range")]
    | Annotated[tuple[Value, ...], Field(min_length=1), Tag("list")]
    | Annotated[None, Tag("declared")],
    Discriminator(_form),
]
"""What is searched of one parameter: a range, some values, or null for the range that it declares."""


class OptimizeSection(ConfigModel):
    """Search for parameters, choose them on training bars alone, and judge the choice by the others."""

    use: str
    """Name of the plugin that proposes what to try."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the plugin."""
    objective: str | Annotated[tuple[str, ...], Field(min_length=1)] = "sharpe"
    """The metric by which parameters are chosen, or several for a Pareto front."""
    trials: Annotated[int, Ge(1)] | None = None
    """Most parameter sets to try in each search; if left out 200, or all of a search that ends by
    itself, or until ``time`` or ``patience`` ends it."""
    search: (
        Annotated[
            Annotated[tuple[str, ...], Tag("paths")] | Annotated[dict[str, Searched], Tag("ranges")],
            Discriminator(_ways),
        ]
        | None
    ) = None
    """What to search, by the dotted paths that ``--set`` takes: ``[strategy.params.fast]``, or with ranges
    and values ``{strategy.params.fast: {from: 5, to: 50}, backtest.stop_loss: [null, 0.05]}``. Left out,
    every range that a plugin of the experiment declares."""
    constraints: tuple[str, ...] = ()
    """What must hold between parameters: ``strategy.params.fast * 2 <= strategy.params.slow``."""
    batch: Annotated[int, Ge(1)] = 8
    """Parameter sets to ask for at a time; the search learns from each batch, however many workers there
    are."""
    time: Annotated[float, Gt(0)] | None = None
    """Seconds after which no more are asked for."""
    patience: Annotated[int, Ge(1)] | None = None
    """Stop after so many parameter sets without a better one."""
    warm_start: bool = False
    """Tell the search first what the ledger knows of the very same study."""
    seed: Annotated[int, Ge(0)] | None = None
    """Seed of the search; the experiment's if left out."""

    @model_validator(mode="after")
    def _names_each_once(self) -> OptimizeSection:
        named = [("objective", self.objectives), ("constraints", self.constraints)]
        if isinstance(self.search, tuple):
            named.append(("search", self.search))
        for key, names in named:
            twice = next((name for name, count in Counter(names).items() if count > 1), None)
            if twice is not None:
                raise ValueError(f"{key} must name each once (got {twice} twice)")
        return self

    @property
    def objectives(self) -> tuple[str, ...]:
        """The names of the metrics."""
        return (self.objective,) if isinstance(self.objective, str) else self.objective


class Scheme(ConfigModel):
    """What all schemes of validation have in common."""

    scheme: str
    """How bars are divided."""
    purge: Annotated[int, Ge(0)] | None = None
    """Bars left out between those that parameters are chosen on and those that judge them; as many as
    the longest label looks ahead if left out."""


class Holdout(Scheme):
    """Judge by the last bars; what is meant where no scheme is named."""

    scheme: Literal["holdout"] = "holdout"
    """How bars are divided."""
    share: Annotated[float, Gt(0), Lt(1)] = 0.3
    """Share of the bars to judge by."""


class WalkForward(Scheme):
    """Choose on some bars, judge by the next, and move on."""

    scheme: Literal["walk_forward"]
    """How bars are divided."""
    train: Annotated[int, Ge(1)] = 1008
    """Bars to choose on; of an anchored walk, in its first step."""
    test: Annotated[int, Ge(1)] = 252
    """Bars to judge by in each step."""
    anchored: bool = False
    """Choose on all bars from the first on, rather than on the last ``train`` ones."""


class PurgedKFold(Scheme):
    """Judge by each of some folds in turn, and choose on the others."""

    scheme: Literal["purged_kfold"]
    """How bars are divided."""
    folds: Annotated[int, Ge(2)] = 6
    """Stretches of equal length."""
    embargo: Annotated[int, Ge(0)] | None = None
    """Further bars left out after each stretch that is judged; the median length of a trade if left out."""


class Combinatorial(Scheme):
    """Judge by every choice of some folds, and choose on the others."""

    scheme: Literal["cpcv"]
    """How bars are divided."""
    folds: Annotated[int, Ge(3)] = 6
    """Stretches of equal length."""
    judged: Annotated[int, Ge(1)] = 2
    """Folds that judge at a time."""
    embargo: Annotated[int, Ge(0)] | None = None
    """Further bars left out after each stretch that is judged; the median length of a trade if left out."""

    @model_validator(mode="after")
    def _leaves_some_to_learn_from(self) -> Combinatorial:
        if self.judged >= self.folds:
            raise ValueError(f"judged must be less than folds = {self.folds} (got {self.judged})")
        return self


ValidateSection: TypeAlias = Annotated[
    Holdout | WalkForward | PurgedKFold | Combinatorial, Field(discriminator="scheme")
]
"""Which bars choose parameters, and which judge them."""


class ExecutionSection(ConfigModel):
    """Where trials are computed; what they come to does not depend on it."""

    engine: Literal["local", "dask"] = "local"
    """On this machine, or by a cluster of Dask."""
    workers: Annotated[int, Ge(1)] | None = None
    """Threads, processes, or workers of a Dask cluster that is started here; as many as there are cores if
    left out."""
    processes: bool = False
    """Use processes rather than threads, for plugins that hold Python's lock; local only."""
    address: str | None = None
    """Scheduler of a running Dask cluster, ``tcp://host:8786``; one is started here if left out."""
    timeout: Annotated[float, Gt(0)] | None = None
    """Seconds after which a single trial is given up; needs processes or Dask."""
    memory: Annotated[float, Gt(0)] | None = None
    """Megabytes that a single trial may take; needs processes or Dask."""

    @model_validator(mode="after")
    def _suits_the_engine(self) -> ExecutionSection:
        if self.engine == "local" and self.address is not None:
            raise ValueError(f"address needs engine: dask (got {self.address})")
        if self.engine == "dask" and self.processes:
            raise ValueError("processes belongs to engine: local; workers of Dask are processes already")
        if self.engine == "local" and not self.processes:
            for name in ("timeout", "memory"):
                if getattr(self, name) is not None:
                    rule = "needs processes: true, or engine: dask, for a thread cannot be stopped"
                    raise ValueError(f"{name} {rule} (got {getattr(self, name):g})")
        return self
