"""The charts of patterns: what is drawn, what the hover says, and how often each type paid."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from windtunnel.pipeline.result import Result
from windtunnel.reporting.charts import patterns as charts
from windtunnel.reporting.charts.chart import STRATEGY, WARNING, Chart
from windtunnel.values import Patterns

MakeResult = Callable[..., Result]


def table(rows: int, count: int) -> Patterns:
    """Bulls and bears in turn, each of 20 bars, ever surer, with all levels; the bears' record is known."""
    last = 40 + 5 * np.arange(count)
    way = np.where(np.arange(count) % 2, -1, 1)
    return Patterns(
        symbol=np.zeros(count, np.int64),
        type=np.where(way > 0, "bull_<flag>", "double_top"),
        first=last - 20,
        confirmed=last,
        direction=way,
        confidence=np.linspace(0.3, 0.9, count),
        target=100.0 + 10 * way,
        stop=100.0 - 5 * way,
        bars=rows,
        success=np.where(way > 0, np.nan, 0.25),
        trials=np.where(way > 0, 0.0, 8.0),
        neckline=np.full(count, 100.0),
    )


@pytest.fixture(scope="module")
def result(make_result: MakeResult) -> Result:
    made = make_result()
    return replace(made, decision=replace(made.decision, patterns=table(len(made.bars), 30)))


def one(charts: list[Chart] | str) -> Chart:
    assert isinstance(charts, list)
    (chart,) = charts
    return chart


def test_draws_the_latest_on_the_price(result: Result) -> None:
    chart = one(charts.drawn(result))
    assert chart.title == "30 patterns in AAA; the latest 12 are drawn."
    outlines = [trace for trace in chart.data if trace["name"] in ("bullish", "bearish")]
    assert len(outlines) == 12
    assert sum(trace["showlegend"] for trace in outlines) == 2
    colours = {trace["name"]: trace["line"]["color"] for trace in outlines}
    assert colours == {"bullish": STRATEGY, "bearish": WARNING}
    found = result.decision.patterns
    assert found is not None
    first = str(result.bars.time[found.first[-12]])[:10]
    last = str(result.bars.time[found.confirmed[-12]])[:10]
    assert (outlines[0]["x"][0], outlines[0]["x"][-1]) == (first, last)
    np.testing.assert_allclose(outlines[0]["y"][-1], result.bars.close[found.confirmed[-12], 0], rtol=1e-5)


def test_the_hover_says_what_is_known(result: Result) -> None:
    texts = [trace["text"][0] for trace in one(charts.drawn(result)).data if "text" in trace]
    assert texts[-1] == (
        "double top, bearish, confidence 0.90<br>"
        "neckline 100.00, target 90.00, stop 105.00<br>25% of 8 earlier ones paid"
    )
    assert texts[0].startswith("bull &lt;flag&gt;, bullish, confidence 0.67<br>")
    assert "paid" not in texts[0]


def test_levels_are_short_lines(result: Result) -> None:
    lines = {trace["name"]: trace for trace in one(charts.drawn(result)).data}
    for name in ("neckline", "target", "stop"):
        assert len(lines[name]["x"]) == 12 * 3
        assert lines[name]["x"][2] is lines[name]["y"][2] is None
    assert lines["neckline"]["x"][1] == lines["target"]["x"][0]


def test_levels_that_are_not_there_are_not_drawn(make_result: MakeResult) -> None:
    names = [trace["name"] for trace in one(charts.drawn(make_result())).data]
    assert "target" not in names
    assert "neutral" in names


def test_success_is_the_latest_count_of_each_type(result: Result) -> None:
    chart = charts.success(result)
    assert isinstance(chart, Chart)
    (trace,) = chart.data
    assert (trace["y"], trace["x"], trace["text"]) == (["double top"], [0.25], ["25% of 8"])
    low, high = 0.25 - trace["error_x"]["arrayminus"][0], 0.25 + trace["error_x"]["array"][0]
    np.testing.assert_allclose((low, high), (0.0715, 0.5907), atol=2e-4)
    assert chart.title.startswith("Of 8 patterns with an outcome 25% paid; the surest type is double top")


def test_says_so_where_there_is_nothing(make_result: MakeResult) -> None:
    without = make_result(models=False)
    none = replace(without, decision=replace(without.decision, patterns=Patterns.empty(len(without.bars))))
    assert charts.drawn(without) == "Patterns: the experiment looks for none."
    assert charts.drawn(none) == "Patterns: none was found."
    assert charts.success(without) == "Success of patterns: the experiment looks for none."
    assert charts.success(none) == "Success of patterns: no outcome was known of any."


def test_charts_are_json(result: Result) -> None:
    success = charts.success(result)
    assert isinstance(success, Chart)
    for chart in (one(charts.drawn(result)), success):
        json.dumps([chart.data, chart.layout], allow_nan=False)
