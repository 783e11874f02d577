"""The record of a model, counted by hand; drift where there is one; a duel that the better one wins."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from windtunnel.bars import Bars
from windtunnel.errors import MissingExtraError
from windtunnel.learn.duel import duel
from windtunnel.learn.resolving import forward_returns, resolve, time_after
from windtunnel.learn.track import baseline, drift, hits, losses, track
from windtunnel.store.predictions import COLUMNS, LIVE, PredictionLog, read_predictions, write_predictions

N = np.nan


def table(kind: str, **columns: Any) -> pd.DataFrame:
    """Predictions of one symbol on consecutive days, each known on the next, unless said otherwise."""
    count = len(next(iter(columns.values())))
    time = pd.date_range("2020-03-30", periods=count, freq="D", unit="ns")
    blank = dict.fromkeys(COLUMNS, np.full(count, N))
    facts = {"kind": kind, "model": "mine", "symbol": "A", "time": time, "prediction": ""}
    frame = pd.DataFrame(blank | {"known": time + pd.Timedelta("1D")} | facts | columns)
    frame.loc[frame["outcome"].isna(), "known"] = pd.NaT
    return frame.loc[:, list(COLUMNS)]


SCORES = table(
    "scorer",
    prediction=["EXECUTE", "SKIP", "EXECUTE", "SKIP", "EXECUTE"],
    probability=[0.75, 0.25, 0.75, 0.25, 0.75],
    outcome=[1.0, 0.0, 0.0, 1.0, N],
)


def test_scores_are_judged_by_what_was_done_and_by_brier() -> None:
    np.testing.assert_array_equal(hits(SCORES), [1, 1, 0, 0, N])
    np.testing.assert_array_equal(losses(SCORES), [0.0625, 0.0625, 0.5625, 0.5625, N])


def test_the_baseline_knows_only_what_was_known() -> None:
    # Day 1 sees the outcome of day 0 (1), day 2 those of 0 and 1 (1/2), day 3 of 0, 1 and 2 (1/3).
    np.testing.assert_allclose(baseline(SCORES), [N, 1.0, 0.25, 4 / 9, N])


def test_the_record_of_a_scorer_by_hand() -> None:
    found = track(SCORES)
    assert (found.predictions, found.known, found.accuracy, found.loss) == (5, 4, 0.5, 0.3125)
    # 0.25 said twice: 0.5 came; 0.75 said twice: 0.5 came.
    assert found.calibration_error == 0.25
    assert found.skill == pytest.approx(1 - (0.0625 + 2 * 0.5625) / (1 + 0.25 + 4 / 9))
    assert [(period.name, period.known, period.accuracy) for period in found.periods] == [
        ("2020 Q1", 2, 1.0),
        ("2020 Q2", 2, 0.0),
    ]
    assert (found.periods[0].said, found.periods[0].came) == (0.5, 0.5)
    assert found.drifts == ()


def test_a_volatility_is_judged_by_its_interval_and_by_qlike() -> None:
    forecasts = table(
        "volatility",
        value=[0.2, 0.2, 0.2, 0.2],
        low=[0.1, 0.1, N, 0.1],
        high=[0.3, 0.3, N, 0.3],
        probability=[0.8] * 4,
        outcome=[0.2, 0.4, 0.2, N],
    )
    np.testing.assert_array_equal(hits(forecasts), [1, 0, N, N])
    np.testing.assert_allclose(losses(forecasts), [0, 4 - math.log(4) - 1, 0, N], atol=1e-15)
    np.testing.assert_allclose(baseline(forecasts)[1], 4 - math.log(4) - 1)
    found = track(forecasts)
    assert found.calibration_error == pytest.approx(0.3), "80% were said to lie inside, half did"


def test_a_flat_price_has_no_volatility_loss() -> None:
    assert math.isnan(losses(table("volatility", value=[0.1], outcome=[0.0]))[0])


def test_a_model_of_which_nothing_is_known_yet_has_no_figures() -> None:
    found = track(table("regime", probability=[0.9], outcome=[N]))
    assert (found.known, found.periods, found.drifts) == (0, (), ())
    assert math.isnan(found.accuracy)
    assert math.isnan(found.skill)


def regimes(right: np.ndarray[Any, Any]) -> pd.DataFrame:
    return table("regime", probability=np.full(len(right), 0.9), outcome=right.astype(float))


def test_drift_is_seen_soon_after_it_happened_and_nowhere_else() -> None:
    draw = np.random.default_rng(3).random(1_200)
    steady = regimes(draw < 0.9)
    assert drift(steady) == ()
    broken = regimes(draw < np.where(np.arange(1_200) < 600, 0.9, 0.4))
    found = drift(broken)
    assert found
    day = (pd.Timestamp(found[0].time) - broken["time"].iloc[0]).days
    assert 600 < day < 700
    assert found[0].before < found[-1].after
    assert drift(broken) == found


def test_outcomes_that_overlap_count_once() -> None:
    # The same error said 21 times over is not evidence for a change.
    right = np.repeat(np.random.default_rng(4).random(60) < 0.5, 21)
    overlapping = regimes(right)
    overlapping["known"] = overlapping["time"] + pd.Timedelta("21D")
    assert drift(overlapping) == ()
    assert drift(regimes(right)) != ()


def test_without_river_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "river", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'windtunnel\[ml\]'"):
        drift(SCORES)
    assert track(SCORES).drifts is None
    assert track(SCORES).known > 0


def test_the_better_one_wins_the_duel_and_the_same_one_does_not() -> None:
    generator = np.random.default_rng(5)
    won = (generator.random(400) < 0.5).astype(float)
    vague = table("scorer", probability=np.full(400, 0.5), outcome=won)
    sharp = table(
        "scorer", probability=np.where(generator.random(400) < 0.7, won, 1 - won) * 0.4 + 0.3, outcome=won
    )
    found = duel(vague, sharp)
    assert (found.times, found.predictions, found.champion) == (400, 400, 0.25)
    assert found.difference == pytest.approx(0.25 - losses(sharp).mean())
    assert found.low > 0
    assert found.p_value < 0.01
    assert found.verdict == "The challenger is better."
    assert duel(sharp, vague).verdict == "The champion is better."
    same = duel(vague, vague)
    assert (same.difference, same.p_value, same.verdict) == (0, 1, "They cannot be told apart.")
    assert duel(vague, sharp) == found


def test_the_test_of_the_difference_holds_its_size() -> None:
    rejected = 0
    for seed in range(100):
        generator = np.random.default_rng(seed)
        won = (generator.random(100) < 0.5).astype(float)
        one, other = (
            table("scorer", probability=generator.uniform(0.3, 0.7, 100), outcome=won) for _ in range(2)
        )
        rejected += duel(one, other).p_value < 0.05
    assert rejected <= 12


def test_a_duel_is_about_the_days_on_which_both_spoke() -> None:
    later = SCORES.assign(time=SCORES["time"] + pd.Timedelta("2D"))
    found = duel(SCORES, later)
    assert (found.times, found.predictions) == (2, 2)
    assert found.verdict == "They met on 2 times: too few to tell them apart."
    assert duel(SCORES, SCORES.assign(symbol="B")).times == 0


def bars(close: list[float], **fields: Any) -> Bars:
    time = np.datetime64("2020-01-01", "D") + np.arange(len(close))
    return Bars.from_arrays(time, np.array(close)[:, None], symbols=["A"], **fields)


def test_the_return_ahead_steps_over_missing_bars() -> None:
    panel = np.array([[1.0, 1.0], [2.0, N], [4.0, 3.0], [8.0, 9.0]])
    ahead = forward_returns(panel, 2)
    np.testing.assert_allclose(ahead, [[math.log(4), math.log(9)], [math.log(4), N], [N, N], [N, N]])
    time = np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(1, "D")
    after = time_after(time, ~np.isnan(panel), 2)
    assert after[0].tolist() == [time[2].astype(int), time[3].astype(int)]
    assert np.isnat(after[1:, 1]).all()


def answer(kind: str, day: int = 0, **facts: Any) -> dict[str, Any]:
    blank = {"value": N, "low": N, "high": N, "probability": 0.6, "target": N, "stop": N, "prediction": ""}
    key = {
        "kind": kind,
        "model": kind,
        "symbol": "A",
        "time": pd.Timestamp("2020-01-01") + pd.Timedelta(f"{day}D"),
    }
    return {**blank, **key, "horizon": 2, "direction": 1, **facts}


def logged(*answers: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(answers).loc[:, list(LIVE)]


@pytest.fixture
def log(tmp_path: Path) -> Any:
    opened = PredictionLog(tmp_path / "predictions.sqlite")
    yield opened
    opened.close()


def outcomes(log: PredictionLog) -> dict[str, tuple[float, int]]:
    rows = log.table().dropna(subset="known")
    days = (rows["known"] - pd.Timestamp("2020-01-01")).dt.days
    return dict(zip(rows["model"], zip(rows["outcome"], days, strict=True), strict=True))


def test_answers_meet_what_happened_once_it_has(log: PredictionLog) -> None:
    answers = logged(
        answer("regime", direction=1),
        answer("volatility", direction=0, value=0.2),
        answer("scorer", horizon=3, target=112.0, stop=90.0),
        answer("patterns", direction=-1, target=80.0, stop=112.0),
        answer("plain", direction=0),
    )
    assert log.add(answers) == 5
    close = [100.0, 105.0, 110.25, 100.0]
    highs, lows = [101.0, 106.0, 113.0, 101.0], [99.0, 104.0, 104.0, 99.0]
    whole = bars(close, high=np.array(highs)[:, None], low=np.array(lows)[:, None])
    assert resolve(log, whole.cut(0, 2)) == 0, "two days have not passed"
    assert resolve(log, whole) == 4
    found = outcomes(log)
    assert found["regime"] == (1.0, 2)
    assert found["scorer"] == (1.0, 2), "the target was touched before the horizon"
    assert found["patterns"] == (0.0, 2), "the stop of a short lies above"
    assert found["volatility"][0] == pytest.approx(math.log(1.05) * math.sqrt(whole.periods_per_year))
    assert resolve(log, whole) == 0
    assert log.open()["model"].tolist() == ["plain"]


def test_the_stop_counts_first_within_a_bar(log: PredictionLog) -> None:
    log.add(logged(answer("scorer", target=105.0, stop=95.0)))
    high, low = np.array([[100.0], [106.0], [100.0]]), np.array([[100.0], [94.0], [100.0]])
    resolve(log, bars([100.0, 100.0, 100.0], high=high, low=low))
    assert outcomes(log)["scorer"] == (0.0, 1)


def test_said_again_the_first_stands_and_nothing_is_changed(log: PredictionLog) -> None:
    import sqlalchemy as sa

    assert log.add(logged(answer("regime"))) == 1
    assert log.add(logged(answer("regime", probability=0.9), answer("regime", day=1))) == 1
    assert log.table("regime")["probability"].tolist() == [0.6, 0.6]
    assert log.table("other").empty
    assert log.add(logged(answer("regime")).iloc[:0]) == 0
    for change in ("UPDATE answers SET probability = 1", "DELETE FROM answers"):
        with pytest.raises(sa.exc.IntegrityError, match="only added"), log._engine.begin() as connection:
            connection.execute(sa.text(change))


def test_another_process_finds_what_was_logged(tmp_path: Path) -> None:
    for day in (0, 1):
        opened = PredictionLog(tmp_path / "log.sqlite")
        opened.add(logged(answer("regime", day=day)))
        opened.close()
    opened = PredictionLog(tmp_path / "log.sqlite")
    assert len(opened.open()) == 2
    assert opened.table()["time"].iloc[1] == pd.Timestamp("2020-01-02")
    opened.close()


def test_a_table_comes_back_as_it_was_written(tmp_path: Path) -> None:
    other = table("volatility", value=[0.1], outcome=[N])
    write_predictions([SCORES, other], tmp_path / "p.parquet")
    back = read_predictions(tmp_path / "p.parquet")
    assert list(back.columns) == list(COLUMNS)
    both = pd.concat([SCORES, other], ignore_index=True)
    pd.testing.assert_frame_equal(back, both, check_dtype=False, check_categorical=False)
