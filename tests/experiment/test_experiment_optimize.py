"""What an optimisation searches, how it is written, and every mistake at its line before anything runs."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import pytest
import yaml
from annotated_types import Ge

from windtunnel.errors import ConfigError, InvalidValueError, PluginError
from windtunnel.experiment import from_mapping, load
from windtunnel.optimize.sections import Combinatorial, ExecutionSection, Holdout, WalkForward
from windtunnel.plugin import KINDS, Optimizer, RegimeModel, SignalScorer, Strategy, build_host, hookimpl
from windtunnel.values import Choices, Metric, Span, Tune


class Shape(StrEnum):
    ROUND = "round"
    FLAT = "flat"


class Sorts(Strategy):
    """A parameter of every sort."""

    name = "sorts"
    window: Annotated[int, Ge(1), Tune(5, 20, step=5)] | None = None
    width: Annotated[float | None, Tune(0.1, 10, log=True)] = None
    short: bool = False
    side: Literal["up", "down"] | None = None
    shape: Shape = Shape.ROUND
    scale: float = 1.0
    anything: object = None

    def exposure(self, market):
        raise NotImplementedError


class Wild(RegimeModel):
    """Has a range of its own."""

    name = "wild"
    window: Annotated[int, Tune(10, 40)] = 20

    def predict(self, market, state):
        raise NotImplementedError


class Judge(SignalScorer):
    """Judges."""

    name = "judge"

    def fit(self, features, outcomes):
        raise NotImplementedError

    def score(self, features, state):
        raise NotImplementedError


class Any_(Optimizer):  # noqa: N801
    """Takes any number of objectives."""

    name = "any"
    start_up: Annotated[int, Ge(1)] = 20
    """Points drawn at random first."""

    def start(self, space, seed, objectives=1):
        return None


class One(Optimizer):
    """Takes one objective."""

    name = "one"

    def start(self, space, seed, objectives=1):
        if objectives > 1:
            raise InvalidValueError("objective", "must be one", objectives)


class Lost(Optimizer):
    """Lacks what it needs."""

    name = "lost"

    def start(self, space, seed, objectives=1):
        raise PluginError("lost needs compass")


@pytest.fixture(scope="module")
def extra(host):
    known = [host.plugin(kind, name) for kind in KINDS for name in host.names(kind)]
    return [*known, Sorts, Wild, Judge, Any_, One, Lost]


@pytest.fixture(scope="module")
def searching(extra):
    made = build_host(extra=extra, allow=())
    made.broken.clear()
    return made


def loaded(host, optimize, **more):
    return from_mapping({"data": "files", "strategy": "cross", "optimize": optimize, **more}, host=host)


def searched(host, search, **more):
    return dict(loaded(host, {"use": "any", "search": search}, **more).search.dimensions)


def refused(host, path, *overrides):
    with pytest.raises(ConfigError) as caught:
        load(path, overrides, host=host)
    return str(caught.value)


FAST, SLOW = Span(Tune(5, 50), whole=True), Span(Tune(20, 200), whole=True)


def test_left_out_it_is_every_range_that_a_plugin_declares(searching):
    assert searched(searching, None) == {"strategy.params.fast": FAST, "strategy.params.slow": SLOW}
    more = {"regime": "wild", "scorer": "judge", "patterns": ["shapes"]}
    assert searched(searching, None, **more) == {
        "strategy.params.fast": FAST,
        "strategy.params.slow": SLOW,
        "regime.params.window": Span(Tune(10, 40), whole=True),
    }


def test_a_plugin_that_is_a_parameter_is_searched_too(searching):
    strategy = {"use": "half", "params": {"inner": {"use": "cross"}}}
    fast = {"strategy.params.inner.params.fast": FAST, "strategy.params.inner.params.slow": SLOW}
    assert searched(searching, None, strategy=strategy) == fast
    path = "strategy.params.inner.params.fast"
    given = searched(searching, {path: {"from": 3, "to": 9}}, strategy=strategy)
    assert given == {path: Span(Tune(3, 9), whole=True)}


def test_paths_alone_have_the_range_that_is_declared_or_all_values(searching):
    names = ["window", "width", "short", "side", "shape"]
    found = searched(searching, [f"strategy.params.{name}" for name in names], strategy="sorts")
    assert dict(zip(names, found.values(), strict=True)) == {
        "window": Span(Tune(5, 20, step=5), whole=True),
        "width": Span(Tune(0.1, 10, log=True), whole=False),
        "short": Choices((False, True)),
        "side": Choices(("up", "down", None)),
        "shape": Choices(("round", "flat")),
    }


def test_the_framework_s_own_settings_can_be_searched(searching):
    asked = ["strategy.params.fast", "scorer.threshold", "backtest.stop_loss", "regime.of"]
    found = searched(searching, asked, scorer="judge", regime="wild")
    assert list(found) == asked
    assert isinstance(found["scorer.threshold"], Span)
    assert not found["backtest.stop_loss"].whole
    assert found["regime.of"] == Choices(("symbol", "benchmark"))


def test_ranges_and_values_by_path(searching):
    search = {
        "strategy.params.fast": {"from": 2, "to": 8, "step": 2},
        "strategy.params.slow": None,
        "backtest.stop_loss": [None, 0.05, 0.1],
        "backtest.take_profit.atr": {"from": 1, "to": 4},
        "scorer.threshold": ["base", 0.5],
        "scorer.outcome.horizon": {"from": 5, "to": 40, "log": True},
        "patterns.0.params.width": [3, 5],
        "patterns.0.refit": {"from": 20, "to": 60, "step": 20},
        "strategy.params.since": ["2008-09-15", None],
        "strategy.params.costs.rate": {"from": 0, "to": 0.1},
    }
    assert searched(searching, search, scorer="judge", patterns=["shapes"]) == {
        "strategy.params.fast": Span(Tune(2, 8, step=2), whole=True),
        "strategy.params.slow": SLOW,
        "backtest.stop_loss": Choices((None, 0.05, 0.1)),
        "backtest.take_profit.atr": Span(Tune(1, 4), whole=False),
        "scorer.threshold": Choices(("base", 0.5)),
        "scorer.outcome.horizon": Span(Tune(5, 40, log=True), whole=True),
        "patterns.0.params.width": Choices((3, 5)),
        "patterns.0.refit": Span(Tune(20, 60, step=20), whole=True),
        "strategy.params.since": Choices(("2008-09-15", None)),
        "strategy.params.costs.rate": Span(Tune(0, 0.1), whole=False),
    }


def test_a_value_is_judged_by_its_own_field_whatever_the_other_parameters_are(searching):
    """60 is above slow = 50, which some of the points will mend."""
    assert searched(searching, {"strategy.params.fast": [60]})["strategy.params.fast"] == Choices((60,))
    assert searched(searching, {"sizing.equal": [True]}, sizing={"risk": 0.1}, backtest={"stop_loss": 0.1})


def test_what_is_resolved_is_complete_and_loads_to_the_same(searching):
    search = {"strategy.params.fast": None, "backtest.stop_loss": [None, 0.1], "backtest.fees": None}
    search["backtest.fees"] = {"from": 0.001, "to": 0.1, "log": True}
    constraint = "strategy.params.fast < strategy.params.slow"
    first = loaded(searching, {"use": "any", "search": search, "constraints": [constraint]})
    assert first.resolved()["optimize"] == {
        "use": "any",
        "params": {"start_up": 20},
        "objective": "sharpe",
        "trials": None,
        "search": {
            "strategy.params.fast": {"from": 5, "to": 50, "step": None, "log": False},
            "backtest.stop_loss": [None, 0.1],
            "backtest.fees": {"from": 0.001, "to": 0.1, "step": None, "log": True},
        },
        "constraints": [constraint],
        "batch": 8,
        "time": None,
        "patience": None,
        "warm_start": False,
        "seed": None,
    }
    again = from_mapping(yaml.safe_load(first.resolved_yaml()), host=searching)
    assert again.resolved() == first.resolved()
    assert again.search == first.search
    assert again.constraints == first.constraints


def test_the_last_part_of_the_bars_judges_unless_said_otherwise(searching):
    found = loaded(searching, "any")
    assert found.experiment.validation == Holdout(share=0.3)
    assert found.experiment.execution == ExecutionSection()
    assert found.resolved()["validate"] == {"scheme": "holdout", "share": 0.3, "purge": None}
    assert loaded(searching, "any", validate={"share": 0.2}).experiment.validation == Holdout(share=0.2)
    walk = loaded(searching, "any", validate={"scheme": "walk_forward", "anchored": True})
    assert walk.experiment.validation == WalkForward(
        scheme="walk_forward", train=1008, test=252, anchored=True
    )
    several = loaded(searching, "any", validate={"scheme": "cpcv", "embargo": 3})
    assert several.experiment.validation == Combinatorial(scheme="cpcv", folds=6, judged=2, embargo=3)


def test_without_the_section_nothing_is_searched(searching):
    found = from_mapping({"data": "files", "strategy": "cross"}, host=searching)
    assert (found.optimizer, found.search, found.constraints) == (None, None, ())
    assert (found.experiment.validation, found.experiment.execution, found.ledger) == (None, None, None)


def test_constraints_are_read_and_judge_points(searching):
    text = "strategy.params.fast * 2 <= strategy.params.slow"
    found = loaded(searching, {"use": "any", "constraints": [text]})
    (constraint,) = found.constraints
    assert constraint.holds({"strategy.params.fast": 25}, found.resolved())
    assert not constraint.holds({"strategy.params.fast": 26}, found.resolved())


def test_where_trials_are_computed_and_recorded_does_not_change_the_run(searching):
    plain = loaded(searching, "any")
    more = {"execution": {"engine": "dask", "workers": 3}, "ledger": "elsewhere"}
    assert loaded(searching, "any", **more).identity() == plain.identity()
    assert loaded(searching, {"use": "any", "trials": 3}).identity() != plain.identity()
    assert loaded(searching, "any", validate={"share": 0.2}).identity() != plain.identity()


def test_the_ledger_may_have_a_secret_and_stand_beside_the_file(searching, write, monkeypatch):
    monkeypatch.setenv("PASSWORD", "canary")
    path = write('data: files\nstrategy: cross\noptimize: any\nledger: "postgresql://u:${PASSWORD}@h/db"')
    found = load(path, host=searching)
    assert found.ledger == "postgresql://u:canary@h/db"
    assert "canary" not in found.resolved_yaml() + repr(found)
    assert found.hide_secrets("canary refused") == "${PASSWORD} refused"
    monkeypatch.delenv("PASSWORD")
    assert "mine.yaml:4: ledger: the environment variable PASSWORD is not set" in refused(searching, path)


def test_a_ledger_s_folder_is_relative_to_its_file(searching, write):
    write("data: files\nstrategy: cross\noptimize: any\nledger: trials", "base/base.yaml")
    found = load(write("extends: base/base.yaml"), host=searching)
    assert found.ledger == "base/trials"
    assert found.resolved()["ledger"] == "base/trials"
    assert yaml.safe_load(found.resolved_yaml("deeper"))["ledger"] == "../base/trials"


SEARCH = """
data: files
strategy: cross
optimize:
  use: any
  search: {strategy.params.fast: {from: 2, to: 9}}
"""


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("optimize.search.strategy.params.fast=[3, 4]", {"strategy.params.fast": Choices((3, 4))}),
        ("optimize.search.strategy.params.fast.to=5", {"strategy.params.fast": Span(Tune(2, 5), whole=True)}),
        (
            "optimize.search.strategy.params.fast.log=true",
            {"strategy.params.fast": Span(Tune(2, 9, log=True), whole=True)},
        ),
        ("optimize.search=[strategy.params.slow]", {"strategy.params.slow": SLOW}),
    ],
)
def test_set_reaches_into_the_search(searching, write, assignment, expected):
    assert load(write(SEARCH), [assignment], host=searching).search.dimensions == expected


def test_all_mistakes_come_at_once_each_at_its_line(searching, write):
    path = write(
        """
        data: files
        strategy: cross
        optimize:
          use: any
          params: {start_upp: 3}
          objective: [sharpe, trades, shrpe]
          trials: 0
          search:
            strategy.params.fats: null
            strategy.params.fast:
              from: 1
              to: 50
            strategy.params.slow: {from: 20, to: 50, step: 2.5}
            backtest.stop_loss:
              - 0.1
              - 1.5
            scorer.threshold: null
            backtest.fees: null
            backtest.fee_min: {from: 3, to: 1}
          constraints:
            - strategy.params.fast <
            - strategy.params.fats < 3
            - backtest.cash > 3
        validate: {scheme: walk_foward}
        execution: {address: x}
        """
    )
    said = [line for line in refused(searching, path).splitlines() if not line.startswith("    ")]
    assert said == [
        "mine.yaml:5: optimize.params.start_upp: unknown parameter of any. Did you mean start_up?",
        "mine.yaml:6: optimize.objective.1: cannot be trades, of which neither more nor less is better",
        "mine.yaml:6: optimize.objective.2: must be a metric (got 'shrpe'). Did you mean sharpe?",
        "mine.yaml:7: optimize.trials: must be at least 1 (got 0)",
        "mine.yaml:9: optimize.search.strategy.params.fats: is not a parameter of this experiment. "
        "Did you mean strategy.params.fast?",
        "mine.yaml:11: optimize.search.strategy.params.fast: must be at least 2 (got 1)",
        "mine.yaml:13: optimize.search.strategy.params.slow.step: must be a whole number, as slow is "
        "(got 2.5)",
        "mine.yaml:16: optimize.search.backtest.stop_loss: stop_loss must be less than 1, the whole price "
        "(got 1.5)",
        "mine.yaml:17: optimize.search.scorer.threshold: needs a scorer section",
        "mine.yaml:18: optimize.search.backtest.fees: declares no range; name one, {from: …, to: …}, or a "
        "list of values",
        "mine.yaml:19: optimize.search.backtest.fee_min: from must be less than to (got from = 3, to = 1)",
        "mine.yaml:21: optimize.constraints.0: cannot be read; write it as a * 2 <= b "
        "(got 'strategy.params.fast <')",
        "mine.yaml:22: optimize.constraints.1: names strategy.params.fats, which is not a parameter; "
        "did you mean strategy.params.fast? (got 'strategy.params.fats < 3')",
        "mine.yaml:24: validate.scheme: must be one of holdout, walk_forward, purged_kfold, cpcv "
        "(got 'walk_foward'). Did you mean walk_forward?",
        "mine.yaml:25: execution: address needs engine: dask (got x)",
        "15 mistakes; nothing was run.",
    ]


MISTAKES = [
    ("optimize: {use: anny}", "optimize.use: unknown optimizer 'anny'. Did you mean any?"),
    ("optimize: {use: any, search: []}", "optimize.search: must name a parameter, or be left out to search "
     "what the plugins declare"),
    ("optimize: {use: any, search: {}}", "optimize.search: must name a parameter, or be left out to search "
     "what the plugins declare"),
    ("optimize: {use: any, search: [fast]}", "optimize.search.0: fast is not a parameter of this experiment. "
     "Did you mean strategy.params.fast?"),
    ("optimize: {use: any, search: [zzz]}", "optimize.search.0: zzz is not a parameter of this experiment. "
     "Known: strategy.params.fast, strategy.params.slow, strategy.params.kind_of_mean, "
     "strategy.params.since, strategy.params.levels, strategy.params.costs, strategy.params.costs.rate, "
     "backtest. …"),
    ("optimize: {use: any, search: [gate.within]}", "optimize.search.0: gate.within needs a gate section"),
    ("optimize: {use: any, search: [backtest.cash]}", "optimize.search.0: backtest.cash declares no range; "
     "name one, {from: …, to: …}, or a list of values"),
    ("optimize: {use: any, search: [strategy.params.fast, strategy.params.fast]}", "optimize: search must "
     "name each once (got strategy.params.fast twice)"),
    ("optimize: {use: any, search: 3}", "optimize.search: must be a list (got 3)"),
    ("optimize: {use: any, search: {strategy.params.fast: 3}}", "optimize.search.strategy.params.fast: "
     "must be a list (got 3)"),
    ("optimize: {use: any, search: {strategy.params.fast: []}}", "optimize.search.strategy.params.fast: "
     "must be a list of at least 1 (got an empty list)"),
    ("optimize: {use: any, search: {strategy.params.fast: [2, 2]}}", "optimize.search.strategy.params.fast: "
     "must name each value once (got 2 twice)"),
    ("optimize: {use: any, search: {strategy.params.fast: [2, 2.5]}}",
     "optimize.search.strategy.params.fast: must be a whole number (got 2.5)"),
    ("optimize: {use: any, search: {strategy.params.fast: {form: 2, to: 3}}}",
     "optimize.search.strategy.params.fast.form: unknown key. Did you mean from?"),
    ("optimize: {use: any, search: {strategy.params.fast: {from: 2}}}",
     "optimize.search.strategy.params.fast.to: is required"),
    ("optimize: {use: any, search: {strategy.params.fast: {from: 2, to: 9, step: 1, log: true}}}",
     "optimize.search.strategy.params.fast: step cannot be combined with log (got step = 1)"),
    ("optimize: {use: any, search: {backtest.fees: {from: 0, to: 0.1, log: true}}}",
     "optimize.search.backtest.fees: from must be positive when log is set (got from = 0)"),
    ("optimize: {use: any, search: {strategy.params.kind_of_mean: [simpl]}}",
     "optimize.search.strategy.params.kind_of_mean: must be one of simple, exponential (got 'simpl'). "
     "Did you mean simple?"),
    ("optimize: {use: any, search: {backtest.stop_loss: [0.1], backtest.stop_loss.atr: [1]}}",
     "optimize.search.backtest.stop_loss.atr: cannot be searched beside backtest.stop_loss, which holds it"),
    ("optimize: {use: any, objective: []}", "optimize.objective: must be text, or a list of at least 1 (got "
     "an empty list)"),
    ("optimize: {use: any, objective: [sharpe, sharpe]}", "optimize: objective must name each once (got "
     "sharpe twice)"),
    ("optimize: {use: one, objective: [sharpe, calmar]}", "optimize.objective: must be one (got sharpe, "
     "calmar)"),
    ("optimize: {use: lost, objective: [sharpe, calmar]}", "optimize.use: lost needs compass"),
    ("optimize: {use: any, constraints: [backtest.cash > 3]}", "optimize.constraints.0: names nothing that "
     "is searched (got 'backtest.cash > 3')"),
    ("validate: {scheme: holdout}", "validate: needs an optimize section: without a search nothing is "
     "chosen"),
    ("execution: {}", "execution: needs an optimize section: all else runs on this machine"),
    ("optimize: any\nsweep: {}", "sweep: cannot stand beside optimize; optimize: {use: grid} is a sweep "
     "that is validated"),
    ("optimize: any\nvalidate: {scheme: walk_forward, share: 0.3}", "validate.share: belongs to scheme: "
     "holdout, not to walk_forward"),
    ("optimize: any\nvalidate: {train: 300}", "validate.train: belongs to scheme: walk_forward, not to "
     "holdout"),
    ("optimize: any\nvalidate: {scheme: holdout, folds: 3}", "validate.folds: belongs to scheme: "
     "purged_kfold and cpcv, not to holdout"),
    ("optimize: any\nvalidate: {scheme: walk_forward, trian: 3}", "validate.trian: unknown key. "
     "Did you mean train?"),
    ("optimize: any\nvalidate: {scheme: cpcv, folds: 3, judged: 3}", "validate: judged must be less than "
     "folds = 3 (got 3)"),
    ("optimize: any\nvalidate: walk_forward", "validate: must be a mapping (got 'walk_forward')"),
    ("optimize: any\nexecution: {engine: dusk}", "execution.engine: must be one of local, dask "
     "(got 'dusk'). Did you mean dask?"),
    ("optimize: any\nexecution: {timeout: 3}", "execution: timeout needs processes: true, or engine: dask, "
     "for a thread cannot be stopped (got 3)"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), MISTAKES, ids=[text for text, _ in MISTAKES])
def test_one_mistake_is_one_message(searching, write, text, message):
    said = refused(searching, write(f"data: files\nstrategy: cross\n{text}")).splitlines()
    found = [line.partition(": ")[2] or line for line in said if not line.startswith("    ")]
    assert found == [message, "1 mistake; nothing was run."]


def test_a_plugin_that_is_not_known_is_told_once(searching, write):
    text = "optimize: {use: any, search: [strategy.params.fast], constraints: ['strategy.params.fast < 3']}"
    said = refused(searching, write(f"data: files\nstrategy: cros\n{text}")).splitlines()
    assert said == [
        "mine.yaml:2: strategy.use: unknown strategy 'cros'. Did you mean cross?",
        "1 mistake; nothing was run.",
    ]
    said = refused(searching, write("data: files\nstrategy: cros\noptimize: any"))
    assert "1 mistake" in said


def test_an_experiment_without_a_range_needs_a_search(searching, write):
    path = write("data: files\nstrategy: faulty\noptimize: any")
    assert "mine.yaml:3: optimize: needs a search: no plugin of the experiment declares a range" in refused(
        searching, path
    )


def test_a_metric_of_a_plugin_may_be_the_objective(extra, write):
    class Measures:
        @hookimpl
        def windtunnel_metrics(self):
            return [Metric("best_bar", "Best bar", lambda p: 0.0, higher_is_better=True, unit="fraction")]

    measuring = build_host(extra=[*extra, Measures()], allow=())
    found = loaded(measuring, {"use": "any", "objective": "best_bar"})
    assert found.experiment.optimize.objectives == ("best_bar",)
