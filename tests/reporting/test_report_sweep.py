"""The surface of a sweep: what is drawn, what is left blank, and what the titles say."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from windtunnel.reporting import page
from windtunnel.reporting.charts.combinations import spread
from windtunnel.reporting.charts.surface import surface
from windtunnel.reporting.swept import best_of_sweep, searched


def hill(rows, columns, *, at):
    """A smooth surface with its top at one place."""
    down, across = np.mgrid[:rows, :columns]
    return 1.0 - ((down - at[0]) / rows) ** 2 - ((across - at[1]) / columns) ** 2


def test_two_dimensions_are_drawn_as_they_are(swept):
    values = hill(20, 30, at=(12, 8))
    values[:5, 25:] = np.nan
    whole, close = surface(swept({"near": range(20), "far": range(30)}, values))
    heat, mark = whole.data
    drawn = np.array([[np.nan if z is None else z for z in row] for row in heat["z"]])
    np.testing.assert_allclose(drawn, values.T, rtol=1e-3)
    assert (heat["x"], heat["y"]) == (list(range(20)), list(range(30)))
    assert (mark["x"], mark["y"]) == ([12], [8])
    assert heat["hoverongaps"] is False
    for word in ("near %{x}", "far %{y}", "Sharpe ratio %{z:.2f}", "%{customdata:,} trades"):
        assert word in heat["hovertemplate"]
    assert np.shape(heat["customdata"]) == np.shape(heat["z"])
    assert whole.title.startswith("The best is a plateau: its neighbours average 1.00 of 1.00.")
    assert whole.title.endswith("Sharpe ratio by near (across) and far (up).")
    assert (close.data[0]["x"], close.data[0]["y"]) == (list(range(7, 18)), list(range(3, 14)))
    frame = whole.layout["shapes"][0]
    assert (frame["x0"], frame["x1"], frame["y0"], frame["y1"]) == (6.5, 17.5, 2.5, 13.5)
    around, best = close.layout["shapes"][0], close.layout["shapes"][-1]
    assert (around["x0"], around["x1"], around["y0"], around["y1"]) == (10.5, 13.5, 6.5, 9.5)
    assert (best["x0"], best["x1"], best["y0"], best["y1"]) == (11.5, 12.5, 7.5, 8.5)


def test_a_lone_spike_is_called_one(swept):
    values = np.full((9, 9), 0.1)
    values[4, 4] = 0.9
    whole, close = surface(swept({"near": range(9), "far": range(9)}, values))
    assert whole.title.startswith("The best is a lone spike: its neighbours average 0.10 of 0.90.")
    assert close.data[0]["zmax"] == whole.data[0]["zmax"] == 0.9, "the same colours, so that it stands out"


@pytest.mark.parametrize(
    ("metric", "low", "high", "diverges"),
    [
        ("sharpe", -0.2, 0.6, True),
        ("sharpe", 0.1, 0.6, False),
        ("total_return", -0.5, 0.2, True),
        ("max_drawdown", -0.6, -0.1, False),
        ("win_rate", 0.0, 1.0, False),
    ],
)
def test_colours_are_centred_on_zero_where_signs_mix(swept, metric, low, high, diverges):
    values = np.linspace(low, high, 16).reshape(4, 4)
    heat = surface(swept({"near": range(4), "far": range(4)}, values, metric=metric))[0].data[0]
    names = {colour for _, colour in heat["colorscale"]}
    assert names == {f"var(--{'sign' if diverges else 'level'}-{place})" for place in range(5)}
    far = max(-low, high)
    assert (heat["zmin"], heat["zmax"]) == pytest.approx((-far, far) if diverges else (low, high))


def test_of_three_dimensions_the_others_stand_at_the_best(swept):
    values = np.zeros((4, 5, 3, 2))
    values[..., 1, 1] = hill(4, 5, at=(2, 2))
    space = {"near": range(4), "far": range(5), "third": [0.5, 1.5, 2.5], "word": ["a", "b"]}
    whole, _ = surface(swept(space, values))
    np.testing.assert_allclose(np.array(whole.data[0]["z"]), values[..., 1, 1].T, rtol=1e-3)
    assert whole.title.endswith("by near (across) and far (up), with third at 1.5, word at b.")


def test_values_at_uneven_distances_are_named_one_by_one(swept):
    space = {"near": [1, 2, 5, 10], "far": [0.1, 0.3, 0.2]}
    whole, _ = surface(swept(space, hill(4, 3, at=(1, 1))))
    heat = whole.data[0]
    assert (heat["x"], heat["y"]) == (["1", "2", "5", "10"], [0.1, 0.2, 0.3])
    assert whole.layout["xaxis"]["type"] == "category"
    frame = whole.layout["shapes"][0]
    assert (frame["x0"], frame["x1"]) == (-0.5, 3.5)
    assert (frame["y0"], frame["y1"]) == pytest.approx((0.05, 0.35))


def test_a_rule_that_may_be_off_is_drawn_where_it_is_on(swept):
    space = {"near": range(4), "backtest.stop_loss": [None, 0.02, 0.05]}
    values = hill(4, 3, at=(2, 1))
    whole, _ = surface(swept(space, values))
    assert np.shape(whole.data[0]["z"]) == (2, 4)
    assert "stop_loss (up)" in whole.title
    off = hill(4, 3, at=(2, 0))
    (line,) = surface(swept(space, off))
    assert line.title.endswith("Sharpe ratio by near, with stop_loss at null.")
    np.testing.assert_allclose(line.data[0]["y"], off[:, 0], rtol=1e-5)


def test_a_large_grid_is_thinned_and_the_best_is_kept(swept):
    values = hill(1000, 900, at=(777, 444))
    whole, close = surface(swept({"near": range(1000), "far": range(900)}, values))
    heat = whole.data[0]
    assert max(np.shape(heat["z"])) <= 400
    assert 777 in heat["x"]
    assert 444 in heat["y"]
    assert max(max(row) for row in heat["z"]) == 1.0
    assert whole.layout["xaxis"]["title"]["text"] == "near (one in 3 drawn)"
    assert close.data[0]["x"] == list(range(772, 783)), "close up nothing is left out"


def test_one_dimension_is_a_line_beside_the_benchmark(swept):
    result = swept({"near": range(12), "word": ["a", "b"]}, np.repeat(hill(1, 12, at=(0, 3)), 2))
    (chart,) = surface(result)
    ours, held, best = chart.data
    assert len(ours["y"]) == 12
    assert held["name"] == "holding AAA"
    assert (best["x"], best["y"], best["name"]) == ([3], [1.0], "best: near 3")
    assert len(surface(replace(result, benchmark=None))[0].data) == 2


def test_without_a_range_of_numbers_there_is_a_table_only(swept):
    result = swept({"word": list("abcd")}, [0.1, 0.4, 0.2, 0.3])
    assert surface(result) == "Surface: none of what was tried is a range of numbers."
    assert spread(result) == "Spread: fewer than ten combinations have the metric."
    table = best_of_sweep(result)
    assert re.findall(r'<th scope="row">(\w)</th>', table) == list("bdca")
    assert "The 4 best combinations, the first of which was run" in table


def test_the_spread_marks_the_best_and_the_benchmark(swept):
    result = swept({"near": range(10), "far": range(10)}, np.linspace(-5, 5, 100))
    chart = spread(result)
    held = result.benchmark.metrics["sharpe"]
    assert [shape["x0"] for shape in chart.layout["shapes"]] == [5.0, held]
    assert sum(chart.data[0]["y"]) == 100
    above = int((np.linspace(-5, 5, 100) > held).sum())
    assert f"Half of all combinations are below 0.00; {above}% are above holding AAA;" in chart.title
    texts = [note["text"] for note in chart.layout["annotations"]]
    assert texts[0] == "best 5.00"
    assert texts[1].startswith("holding AAA ")
    assert "holding" not in spread(replace(result, benchmark=None)).title


def test_the_spread_of_one_value_is_drawn(swept):
    chart = spread(replace(swept({"near": range(12)}, np.full(12, 0.3)), benchmark=None))
    assert sum(chart.data[0]["y"]) == 12


def test_the_table_has_the_ten_best_with_their_neighbours(swept):
    values = hill(6, 6, at=(3, 3))
    table = best_of_sweep(swept({"near": range(6), "far": range(6)}, values))
    rows = re.findall(r"<tr><th scope=\"row\".*?</tr>", table)
    assert len(rows) == 10
    best = re.findall(r'data-key="([^"]*)"', rows[0])
    assert [float(key) for key in best[:3]] == [3, 3, 1]
    assert float(best[3]) == pytest.approx((values[2:5, 2:5].sum() - 1) / 8)
    heads = re.findall(r"<button>([^<]+)</button>", table)
    assert heads == ["near", "far", "Sharpe ratio", "its neighbours", "Total return", "Worst drawdown",
                     "Trades", "Winning trades"]  # fmt: skip


def test_it_comes_first_after_the_headline_and_says_that_it_was_chosen_in_sample(swept):
    values = hill(12, 12, at=(5, 5))
    values[0, :4] = np.nan
    result = swept({"near": range(12), "far": range(12)}, values)
    text = page(result, library="")
    order = [f'<section id="{name}"' for name in ("result", "sweep", "story", "certainty", "figures")]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert 'href="#sweep"' in text
    said = searched(result)
    assert said.startswith("140 combinations of near and far were tried, 4 more left out. This report is of")
    assert "It was chosen on the bars that it is judged by, so its figures flatter it." in said
    assert said in text
    assert text.count('<div class="beside">') == 1


def test_without_a_sweep_there_is_no_such_part(result):
    assert 'id="sweep"' not in page(result, library="")


def test_what_a_plugin_calls_its_words_is_escaped(swept):
    result = swept({"near": range(12), "word": ["<b>x</b>"]}, hill(1, 12, at=(0, 4)))
    text = page(result, library="")
    assert "<b>x</b>" not in text
    assert "with word at &lt;b&gt;x&lt;/b&gt;" in text
