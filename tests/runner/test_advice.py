"""One combined answer a symbol: what the models said of the last bar, kept by content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import windtunnel as wt
from windtunnel import experiment, runner
from windtunnel.bars import Bars
from windtunnel.market import Market
from windtunnel.pipeline.decide import Decision, decide
from windtunnel.runner import advice as room
from windtunnel.runner.advice import Advice, advise

CONFIG: dict[str, Any] = {
    "name": "advised",
    "data": {"use": "synthetic", "params": {"bars": 900, "assets": 2}},
    "strategy": {
        "use": "recommended",
        "params": {"candidates": [{"use": "buy_and_hold"}, {"use": "sma_cross"}], "trees": 5, "least": 20},
        "first": 600,
        "refit": 200,
    },
    "regime": {"use": "trend_volatility"},
    "patterns": [{"use": "candlesticks"}],
    "volatility": {"use": "ewma", "horizon": 5, "coverage": 0.7},
    "scorer": {"use": "logistic", "first": 300, "min_outcomes": 10, "act": "none", "threshold": "base"},
}


@pytest.fixture(scope="module")
def loaded() -> experiment.Loaded:
    return experiment.from_mapping(CONFIG)


@pytest.fixture(scope="module")
def dataset(loaded: experiment.Loaded) -> Any:
    return runner.dataset(loaded)


@pytest.fixture(scope="module")
def decision(loaded: experiment.Loaded, dataset: Any) -> Decision:
    return decide(Market(dataset.bars), runner.candidate(loaded), benchmark="S1")


@pytest.fixture(scope="module")
def answers(loaded: experiment.Loaded, dataset: Any) -> tuple[Advice, ...]:
    return advise(loaded, dataset)


def test_it_is_what_the_models_said_of_the_last_bar(
    answers: tuple[Advice, ...], decision: Decision, dataset: Any
) -> None:
    assert [one.symbol for one in answers] == ["S1", "S2"]
    for column, one in enumerate(answers):
        assert one.close == dataset.bars.close[-1, column]
        assert one.time == str(dataset.bars.time[-1])[:10]
        assert one.exposure == decision.scored[-1, column]
        assert one.regime is not None
        assert one.regime.name == decision.regimes.names[decision.regimes.codes[-1, column]]
        assert one.regime.probabilities[one.regime.name] == one.regime.confidence == 1.0
        assert one.volatility is not None
        assert one.volatility.mean == decision.forecast.mean[-1, column]
        assert one.volatility.low < one.volatility.mean < one.volatility.high
        assert (one.volatility.horizon, one.volatility.coverage) == (5, 0.7)
        ranking = decision.wanted.ranking
        assert [(item.candidate, item.expected) for item in one.ranked] == [
            (item.candidate, item.expected) for item in ranking.at(column)
        ]
        assert one.reason == ranking.reasons[column]
        assert one.reason.startswith("Follows ")


def test_patterns_are_those_confirmed_on_the_last_five_bars(
    answers: tuple[Advice, ...], decision: Decision
) -> None:
    table = decision.patterns
    for column, one in enumerate(answers):
        lately = (table.symbol == column) & (table.confirmed >= 895)
        expected = sorted(zip(table.type[lately], 899 - table.confirmed[lately], strict=True))
        assert sorted((item.type, item.bars_ago) for item in one.patterns) == expected
    assert any(one.patterns for one in answers)


def test_a_signal_counts_only_on_the_last_bar(
    loaded: experiment.Loaded, dataset: Any, decision: Decision
) -> None:
    signals = decision.signals
    scored = np.flatnonzero(~np.isnan(signals.scores.probability) & (signals.features.bar > 650))
    row = int(scored[-1])
    bar, column = int(signals.features.bar[row]), int(signals.features.symbol[row])
    cut = dataset.bars.cut(0, bar + 1)
    one = advise(loaded, type(dataset)(cut, {}, None, {}, None))[column]
    assert one.signal is not None
    assert one.signal.probability == pytest.approx(signals.scores.probability[row])
    assert one.signal.action == signals.action[row]
    assert one.signal.direction == signals.features.direction[row]
    longer = dataset.bars.cut(0, bar + 2)
    assert advise(loaded, type(dataset)(longer, {}, None, {}, None))[column].signal is None


def test_a_symbol_that_ended_is_answered_for_its_own_last_bar(
    loaded: experiment.Loaded, dataset: Any
) -> None:
    close = np.array(dataset.bars.close)
    close[850:, 1] = np.nan
    bars = Bars.from_arrays(dataset.bars.time, close, symbols=["S1", "S2"])
    one, other = advise(loaded, type(dataset)(bars, {}, None, {}, None))
    assert one.time == str(bars.time[-1])[:10]
    assert other.time == str(bars.time[849])[:10]
    assert other.close == close[849, 1]


def test_asked_again_it_comes_from_the_file(
    loaded: experiment.Loaded, dataset: Any, answers: tuple[Advice, ...], tmp_path: Path, monkeypatch: Any
) -> None:
    first = advise(loaded, dataset, out=tmp_path)
    (file,) = (tmp_path / "advice").iterdir()
    assert first == answers
    assert file.suffix == ".json"

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("asked the models again")

    with monkeypatch.context() as patched:
        patched.setattr(room, "decide", never)
        assert advise(loaded, dataset, out=tmp_path) == answers
        other = experiment.from_mapping(CONFIG, overrides=["volatility.horizon=3"])
        with pytest.raises(AssertionError):
            advise(other, dataset, out=tmp_path)
        with pytest.raises(AssertionError):
            advise(loaded, type(dataset)(dataset.bars.cut(0, 899), {}, None, {}, None), out=tmp_path)


@pytest.mark.parametrize("content", ["", '[{"symbol": "S1"}]', "[1, 2"])
def test_a_file_that_cannot_be_understood_is_written_anew(
    loaded: experiment.Loaded, dataset: Any, answers: tuple[Advice, ...], tmp_path: Path, content: str
) -> None:
    advise(loaded, dataset, out=tmp_path)
    (file,) = (tmp_path / "advice").iterdir()
    whole = file.read_bytes()
    file.write_text(content, encoding="utf-8")
    assert advise(loaded, dataset, out=tmp_path) == answers
    assert file.read_bytes() == whole


def test_bars_alone_are_answered_by_the_usual_models(dataset: Any, tmp_path: Path) -> None:
    overrides = ["strategy.params.trees=5", "strategy.first=800", "regime.first=500"]
    one, other = wt.advise(dataset.bars, overrides=overrides, out=tmp_path)
    assert (one.symbol, other.symbol) == ("S1", "S2")
    assert len(one.ranked) == 4
    assert one.regime is not None
    assert len(list((tmp_path / "advice").iterdir())) == 1


def test_a_plain_strategy_has_no_ranking(dataset: Any) -> None:
    plain = {**{key: CONFIG[key] for key in ("name", "data")}, "strategy": {"use": "sma_cross"}}
    one = wt.advise(plain)[0]
    assert (one.ranked, one.reason, one.regime, one.volatility, one.signal, one.patterns) == (
        (),
        "",
        None,
        None,
        None,
        (),
    )
    market = Market(dataset.bars)
    assert one.exposure == float(market.sma(10)[-1, 0] > market.sma(50)[-1, 0])


def test_too_few_bars_to_learn_from_is_said(dataset: Any) -> None:
    with pytest.raises(wt.WindtunnelError, match="must leave bars to learn"):
        wt.advise(dataset.bars.cut(0, 100))
