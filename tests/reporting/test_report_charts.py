"""The charts say what is so, and plotly understands them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.reporting.charts import account, certainty, models, trading
from windtunnel.reporting.charts.chart import Chart, numbers, safe
from windtunnel.values import Rules, Scores


def every_chart(result) -> list[Chart]:
    drawn = [account.equity(result), account.exposure(result), models.volatility(result)]
    drawn += [models.scores(result), models.contributions(result), certainty.intervals(result)]
    drawn += [certainty.distribution(result), certainty.rolling(result), *trading.trades(result)]
    assert all(isinstance(chart, Chart) for chart in drawn)
    return drawn


def test_plotly_accepts_every_chart(result):
    import plotly.graph_objects as go

    for chart in every_chart(result):
        text = json.dumps({"data": chart.data, "layout": chart.layout})
        go.Figure(json.loads(re.sub(r"var\(--[a-z0-9-]+\)", "#123456", text)))


def test_every_title_is_a_sentence_and_every_value_axis_has_one(result):
    for chart in every_chart(result):
        assert chart.title.endswith(".")
        axes = [
            part
            for name, part in chart.layout.items()
            if name.startswith("yaxis") and part.get("visible", True)
        ]
        assert all("title" in axis or axis.get("type") == "category" for axis in axes)


def test_long_series_are_drawn_with_few_points(make_result):
    result = make_result(rows=9_000)
    for chart in every_chart(result):
        for trace in chart.data:
            assert len(trace["x"]) <= 2_000 or trace["type"] == "heatmap"
    drawn = next(trace for trace in account.equity(result).data if trace["name"] == "strategy")
    assert max(drawn["y"]) == pytest.approx(result.simulation.equity.max(), rel=1e-5)


def test_the_equity_title_states_both_ends(make_result):
    time = np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(30, "D")
    bars = Bars.from_arrays(time, [100.0, 50.0, 75.0, 100.0], symbols=["A"])
    result = make_result(bars=bars, weights=np.ones((4, 1)), models=False, rules=Rules(fill="close"))
    assert account.equity(result).title == (
        "10,000 became 10,000; holding A made it 10,000. "
        "The worst drawdown, −50.0%, took 3 months to recover."
    )


def test_the_ribbon_covers_the_bars_and_names_the_shares(result):
    chart = account.equity(result)
    ribbon = next(trace for trace in chart.data if trace["type"] == "heatmap")
    assert len(ribbon["x"]) == len(ribbon["z"][0]) + 1
    assert all(first < second for first, second in pairwise(ribbon["x"]))
    assert ribbon["z"][0][:3] == [None, 0, 1]
    assert [words for _, words in chart.legend][-1] == "no opinion 5%"
    assert chart.legend[0][1] == "calm 28%"


def test_the_scores_title_says_whether_refusing_paid(result):
    assert models.scores(result).title == (
        "Of 5 scored entries 3 were taken; 67% of them won; 50% of those refused would have won."
    )


def test_the_forecast_title_counts_what_fell_into_the_band(result):
    close, level = result.bars.close[:, 0], 0.2
    squares = np.diff(np.log(close)) ** 2
    came = np.array(
        [np.sqrt(squares[row : row + 5].mean() * result.bars.periods_per_year) for row in range(20, 595)]
    )
    share = np.mean((came >= level * 0.5) & (came <= level * 1.5))
    title = models.volatility(result).title
    assert title.startswith("Volatility of AAA: 20.0% forecast")
    assert title.endswith(f"the band held {share:.0%} of the outcomes.")


def test_the_trades_title_agrees_with_the_trades(result):
    made = result.simulation.trades
    returns = made.returns[made.symbol == 0]
    chart = trading.trades(result)[0]
    assert chart.title.startswith(f"{len(returns)} trades in AAA: {np.mean(returns > 0):.0%} won")
    entries = next(trace for trace in chart.data if trace["name"] == "bought")
    assert len(entries["x"]) == len(returns)
    closed = [len(trace["x"]) for trace in chart.data if trace["name"].startswith(("closed", "still"))]
    assert sum(closed) == len(returns)


def test_many_trades_are_drawn_by_size(make_result):
    result = make_result(
        rows=3_000, symbols=("AAA",), models=False, weights=np.indices((3_000, 1))[0] % 2 == 0
    )
    chart = trading.trades(result)[0]
    assert chart.title.endswith("The 500 largest are drawn.")
    assert sum(len(trace["x"]) for trace in chart.data if trace["name"] == "bought") == 500


def test_exposure_is_what_was_held(make_result):
    bars = Bars.from_arrays(
        np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(1, "D"),
        np.full(4, 100.0),
        symbols=["A"],
    )
    weights = np.array([[0.0], [0.5], [np.nan], [0.0]])
    result = make_result(bars=bars, weights=weights, models=False, rules=Rules(fill="close"))
    chart = account.exposure(result)
    assert chart.data[0]["y"] == [0.0, 0.5, 0.5, 0.0]
    assert chart.title == "Invested on 50% of the bars, then with 50% of equity on average."


def test_intervals_say_whether_zero_is_inside(result):
    said = result.comparison
    word = "excludes" if said.low > 0 or said.high < 0 else "includes"
    assert certainty.intervals(result).title.endswith(f"it {word} zero.")


def test_what_does_not_vary_leaves_its_chart_out(make_result):
    flat = make_result(models=False, weights=np.zeros((600, 2)))
    for chart in (certainty.intervals, certainty.distribution, certainty.rolling, account.exposure):
        assert isinstance(chart(flat), str)


def test_a_scorer_that_abstained_is_said_so(result):
    signals = replace(result.decision.signals, scores=Scores.unknown(6, 2))
    silent = replace(result, decision=replace(result.decision, signals=signals))
    assert models.scores(silent) == "Scores: the scorer abstained on all of 6 entries."
    assert isinstance(models.contributions(silent), str)


def test_text_from_outside_is_not_read_as_tags_or_fields():
    assert safe('<b>&"%{x}') == "&lt;b&gt;&amp;&quot;%&#123;x}"


def test_what_is_not_finite_is_null_in_json():
    assert numbers([1.23456789, np.nan, -np.inf]) == [1.23457, None, None]
