"""The charts of forecasts count what they say they count."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from windtunnel.learn import realised_volatility
from windtunnel.reporting.charts import forecasts
from windtunnel.reporting.charts.chart import Chart


def test_the_coverage_title_counts_windows(make_result):
    result = make_result(rows=600)
    section = {"use": "hand", "params": {"coverage": 0.6}, "interval": "model", "coverage": 0.8}
    chart = forecasts.coverage(replace(result, config=result.config | {"volatility": section}))
    assert isinstance(chart, Chart)
    came = realised_volatility(result.bars.close[:, 0], 5, result.bars.periods_per_year)[20:595:5]
    inside = ((came >= 0.1) & (came <= 0.3)).mean()
    assert chart.title.startswith(f"The interval of nominally 60% held {inside:.1%} of 115 outcomes without")
    assert [trace["name"] for trace in chart.data] == ["inside, of 250 forecasts", "nominal"]
    assert set(chart.data[1]["y"]) == {0.6}


def test_the_losses_chart_ends_at_the_sum(make_result):
    result = make_result(rows=600)
    chart = forecasts.losses(result)
    assert isinstance(chart, Chart)
    drawn = [value for value in chart.data[0]["y"] if value is not None]
    count = int(re.search(r"Over (\d+) forecasts", chart.title)[1])
    mean = float(re.search(r"QLIKE was ([\d.]+)", chart.title)[1])
    assert abs(abs(drawn[-1]) / count - mean) < 6e-4
    assert ("lower" in chart.title) == (drawn[-1] > 0)


def test_plotly_accepts_them_and_they_are_small(make_result):
    import plotly.graph_objects as go

    for draw in (forecasts.coverage, forecasts.losses):
        chart = draw(make_result(rows=9_000))
        assert all(len(trace["x"]) <= 2_000 for trace in chart.data)
        assert chart.title.endswith(".")
        text = json.dumps({"data": chart.data, "layout": chart.layout})
        go.Figure(json.loads(re.sub(r"var\(--[a-z0-9-]+\)", "#123456", text)))


def test_without_a_forecast_they_say_so(make_result):
    plain = make_result(models=False)
    assert forecasts.coverage(plain) == "Coverage: the experiment forecasts no volatility."
    assert forecasts.losses(plain) == "Losses: the experiment forecasts no volatility."
    short = make_result(rows=200)
    assert forecasts.coverage(short).startswith("Coverage: fewer than 250")
