"""The report of an optimisation: what is drawn, what titles say, and what is left out where it is missing."""

from __future__ import annotations

import json
import re
from dataclasses import fields, replace

import numpy as np
import pytest
from optimized_cases import (
    FAST,
    MIXED,
    SLOW,
    combinatorial,
    joined,
    listed,
    optimized,
    verdict,
    walk,
    walk_forward,
)
from test_report_browser import browsed

from windtunnel.reporting import ReportSection, page, write_report
from windtunnel.reporting.charts import account, coordinates, folds, importance, neighbourhood, search
from windtunnel.reporting.landscape import Landscape
from windtunnel.reporting.neighbours import Neighbours
from windtunnel.reporting.optimized import (
    changes,
    described,
    failures,
    folds_table,
    judged_from,
    tried,
)
from windtunnel.reporting.verdict import intervals_table, statistics, verdict_line
from windtunnel.values import Choices, Fold, Optimized, SearchSpace, Split

BARS = walk(900, seed=4)


@pytest.fixture(scope="module")
def walked():
    """Four folds in time order."""
    return joined(BARS, optimized(BARS, walk_forward(900)))


@pytest.fixture(scope="module")
def combined():
    """Six folds of two out of four parts, and two objectives."""
    return joined(BARS, optimized(BARS, combinatorial(900), second="max_drawdown", scheme="combinatorial"))


def keeping(found: Optimized, rows: int) -> Optimized:
    """Only the first trials, each fold with its best among them."""
    kept = found.trials.take(range(rows))
    made = []
    for place, fold in enumerate([*found.folds, found.final]):
        row = int(np.nanargmax(kept.objectives[:, place, 0]))
        made.append(replace(fold, rows=np.arange(rows), chosen=row, front=np.array([row])))
    return replace(found, trials=kept, folds=tuple(made[:-1]), final=made[-1])


def failing(found: Optimized, but: int) -> Optimized:
    """All trials failed but one."""
    objectives, count = np.full_like(found.trials.objectives, np.nan), len(found.trials)
    objectives[but] = 0.7
    problems = tuple("" if row == but else f"PluginError: <broke> {row}" for row in range(count))
    sums = np.full_like(found.trials.sums, np.nan)
    sums[but] = found.trials.sums[but]
    trials = replace(found.trials, objectives=objectives, problems=problems, sums=sums)
    one = {"chosen": but, "front": np.array([but]), "inside": np.array([0.7])}
    made = [replace(fold, **one) for fold in (*found.folds, found.final)]
    return replace(found, trials=trials, folds=tuple(made[:-1]), final=made[-1])


def charts_of(text: str) -> dict[str, dict]:
    return json.loads(re.search(r'id="charts">(.*?)</script>', text, re.S)[1])


def test_the_verdict_comes_first_then_whether_it_beat_the_benchmark(walked):
    text = page(walked, library="")
    order = ['class="sentence verdict overfit"', "<strong>Likely overfit.</strong>", walked.sentence]
    order += ['class="headline"', 'id="equity"', '<section id="verdict"', '<section id="sweep"']
    order += ['<section id="story"']
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert "How the parameters were chosen" in text
    assert text == page(walked, library=""), "the same result gives the same page"


@pytest.mark.parametrize(
    ("call", "mark", "kind"),
    [("likely real", "✓", "real"), ("cannot tell", "?", "open"), ("likely overfit", "✗", "overfit")],
)
def test_a_call_has_a_sign_and_what_comes_from_outside_is_escaped(walked, call, mark, kind):
    line = verdict_line(verdict(walked.optimized, call=call, because="Few <b> bars."))
    assert f'class="sentence verdict {kind}"' in line
    assert f">{mark}</span>" in line
    assert "Few &lt;b&gt; bars." in line


def test_figures_that_are_missing_are_dashes(walked):
    told = verdict(walked.optimized)
    nothing = {one.name: np.nan for one in fields(told) if isinstance(getattr(told, one.name), float)}
    table = statistics(replace(told, **nothing, reality={}, intervals={}, halvings=0, superior=0, tested=0))
    values = re.findall(r"</th><td>([^<]*)</td>", table)
    assert len(values) == 17
    space = "\N{NO-BREAK SPACE}"
    assert set(values) == {"–", f"{told.trials:,}", f"0{space}of{space}0"}
    assert "nan" not in table


def test_the_statistics_say_what_they_are(walked):
    table = statistics(verdict(walked.optimized, track_record=np.inf, permutation=0.001))
    for name, value in {
        "Deflated Sharpe ratio": "41%",
        "Sharpe ratio in sample": "1.31 [0.30]",
        "SPA test, p": "0.33 [0.21, 0.45]",
        "Minimum track record": "for ever",
        "Permutation test, p": "&lt;0.01",
    }.items():
        shown = value.replace(" ", "\N{NO-BREAK SPACE}")
        assert f'<th scope="row">{name}</th><td>{shown}</td>' in table


def test_intervals_say_whether_they_are_in_sample(walked):
    told = verdict(walked.optimized)
    assert "Out of sample, with 95% intervals" in intervals_table(told)
    assert "In sample, with 95% intervals" in intervals_table(replace(told, outside=np.nan))
    assert intervals_table(replace(told, intervals={})) == ""


def test_a_sweep_may_have_a_verdict_too(swept, walked):
    made = swept({"near": range(12)}, np.linspace(0, 1, 12))
    text = page(replace(made, verdict=verdict(walked.optimized)), library="")
    order = [
        "<strong>Likely overfit.</strong>",
        '<section id="verdict"',
        '<section id="sweep"',
        'id="spread"',
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_equity_in_sample_starts_from_the_same_cash(walked):
    chart = account.equity(walked)
    (grey,) = [trace for trace in chart.data if trace["name"] == "in sample (chosen on all data)"]
    found, first = walked.optimized, walked.optimized.first
    assert first == 450
    grown = found.in_sample[-1] / found.in_sample[first - 1] * 10_000
    assert grey["y"][-1] == pytest.approx(grown, rel=1e-5)
    assert f"out of sample, in sample {grown:,.0f};" in chart.title
    plain = account.equity(replace(walked, optimized=None))
    assert "in sample" not in plain.title
    assert len(plain.data) == len(chart.data) - 1 - bool(changes(found))


def test_marks_stand_where_the_parameters_changed(walked):
    found = walked.optimized
    chosen = [fold.chosen for fold in found.folds]
    starts = [fold.split.test[0][0] - found.first for fold in found.folds]
    expected = [at for at, old, new in zip(starts[1:], chosen, chosen[1:], strict=False) if old != new]
    assert expected, "the case must have a change"
    assert changes(found) == expected
    shapes = account.equity(walked).layout["shapes"]
    assert [shape["x0"] for shape in shapes] == [str(walked.bars.time[at])[:10] for at in expected]


def test_of_several_ways_the_result_is_the_median_one():
    parts = [(0, 10), (10, 20), (20, 30)]
    pairs = [(parts[0], parts[1]), (parts[0], parts[2]), (parts[1], parts[2])]
    found = optimized(BARS, walk_forward(900))
    none = np.array([np.nan])
    made = tuple(
        Fold(Split(((30, 40),), pair), np.arange(9), place, none, none, np.array([place]))
        for place, pair in enumerate(pairs)
    )
    found = replace(found, folds=made, first=0)
    # The first way is judged by folds 0, 0 and 1, the second by folds 1, 2 and 2.
    assert changes(replace(found, paths=np.array([0.1, 0.5]))) == [20], "of two the lower"
    assert changes(replace(found, paths=np.array([0.5, np.nan]))) == [10]


def test_progress_has_the_best_so_far_of_the_search_and_of_each_fold(walked):
    land = Landscape(walked.optimized)
    chart = search.progress(land)
    lines = [trace for trace in chart.data if trace["mode"] == "lines"]
    assert len(lines) == 5
    best = lines[-1]
    values = land.value
    assert best["y"][-1] == pytest.approx(np.nanmax(values), rel=1e-3)
    assert best["y"] == sorted(best["y"])
    assert f"number {int(np.nanargmax(values)) + 1:,}" in chart.title
    assert all(len(line["x"]) == len(line["y"]) < len(values) for line in lines)


def test_failed_trials_are_marked_and_told(walked):
    trials = walked.optimized.trials
    problems = tuple(f"Stop <{row}>" if row % 9 == 0 else "" for row in range(len(trials)))
    found = replace(walked.optimized, trials=replace(trials, problems=problems))
    land = Landscape(found)
    failed = search.progress(land).data[-1]
    assert failed["name"] == f"{found.failed} trials failed"
    assert failed["x"][:3] == [1, 10, 19]
    assert failed["text"][0] == "Stop &lt;0&gt;"
    table = failures(land)
    assert table.count("Stop &lt;") == 10
    assert f"{found.failed} trials could not be tried, the first 10" in table
    assert failures(Landscape(walked.optimized)) == ""


def test_the_promise_says_the_mean_rank_correlation_and_what_became_of_the_chosen(walked):
    from scipy.stats import spearmanr

    land = Landscape(walked.optimized)
    inside = [land.sharpe(fold.split.train, 365.25) for fold in walked.optimized.folds]
    outside = [land.sharpe(fold.split.test, 365.25) for fold in walked.optimized.folds]
    known = [np.isfinite(a) & np.isfinite(b) for a, b in zip(inside, outside, strict=True)]
    mean = np.mean([
        spearmanr(a[k], b[k]).statistic for a, b, k in zip(inside, outside, known, strict=True)
    ])  # fmt: skip
    chart = folds.kept_promise(land, 365.25)
    assert f"rank correlation {mean:+.2f}".replace("-", "−") in chart.title
    assert len(chart.data[1]["x"]) == 4
    chosen = np.mean([a[f.chosen] for a, f in zip(inside, walked.optimized.folds, strict=True)])
    assert f"the chosen ones had a Sharpe ratio of {chosen:.2f} in sample" in chart.title


def test_stability_shows_each_choice_in_the_range_searched(walked):
    land, found = Landscape(walked.optimized), walked.optimized
    labels = judged_from(walked)
    assert labels == [str(BARS.time[fold.split.test[0][0]])[:10] for fold in found.folds]
    chart = folds.stability(land, labels)
    ours, now = chart.data[:2]
    at = land.ranking[0]
    np.testing.assert_allclose(ours["y"], land.shares[[fold.chosen for fold in found.folds], at], atol=1e-4)
    assert now["x"] == [4]
    moved = max(np.ptp(land.shares[[fold.chosen for fold in found.folds]], axis=0))
    assert f"moved over {moved:.0%} of the range searched" in chart.title


def test_overlapping_folds_are_numbered(combined):
    assert judged_from(combined) == [f"fold {place}" for place in range(1, 7)]


def test_paths_and_front_are_drawn_where_there_are_any(combined, walked):
    land = Landscape(combined.optimized)
    chart = folds.paths(land)
    assert chart.data[0]["x"] == pytest.approx(sorted(combined.optimized.paths), rel=1e-3)
    assert "Of 3 ways through the folds the worst has a Sharpe ratio of −0.20, the median 0.25" in chart.title
    front = search.front(land)
    beaten, chosen = front.data[1], front.data[2]
    assert beaten["y"] == sorted(beaten["y"], reverse=True), "what is better in one is worse in the other"
    assert chosen["x"] == [pytest.approx(float(land.value[combined.optimized.final.chosen]), rel=1e-3)]
    assert folds.paths(Landscape(walked.optimized)) == ""
    assert search.front(Landscape(walked.optimized)) == ""
    text = page(combined, library="")
    assert {"paths", "front"} <= charts_of(text).keys()


def test_the_neighbourhood_is_the_mean_of_each_cell(walked):
    land = Landscape(walked.optimized)
    near = Neighbours(land)
    chart = neighbourhood.neighbourhood(near)
    heat, mark = chart.data
    assert sum(map(sum, heat["customdata"])) == land.known.sum()
    mean = np.nansum(np.array(heat["z"], float) * heat["customdata"]) / land.known.sum()
    assert mean == pytest.approx(land.value[land.known].mean(), rel=1e-3)
    assert chart.title.startswith(near.sentence)
    frame = chart.layout["shapes"][0]
    assert frame["x0"] <= mark["x"][0] <= frame["x1"]
    assert frame["y0"] <= mark["y"][0] <= frame["y1"]


def test_many_lines_are_thinned_and_the_best_are_in_colour():
    land = Landscape(listed(5_000, MIXED))
    chart = coordinates.coordinates(land)
    others, best, chosen = (trace["x"].count(None) for trace in chart.data)
    assert (others, best, chosen) == (360, 120, 1)
    assert len(chart.data[0]["y"]) == len(chart.data[0]["x"])
    assert re.match(r"Four fifths of the best tenth lie at window \d+ … \d+", chart.title)
    assert "<wma>" not in json.dumps(chart.layout)


def test_importance_names_what_matters():
    chart = importance.importance(Landscape(listed(500, MIXED)))
    assert chart.title.startswith("window matters most: alone it explains ")
    assert chart.data[0]["y"][-1] == "window"
    assert sum(chart.data[0]["x"]) == pytest.approx(1.0, abs=0.01)


def test_the_table_of_folds_has_dates_choices_and_both_sides(walked):
    told = described(walked.optimized, BARS.time)
    table = folds_table(replace(walked, manifest={"optimized": told}))
    first = walked.optimized.folds[0]
    assert f"<td>{str(BARS.time[150])[:10]} … {str(BARS.time[449])[:10]}</td>" in table
    rows = re.findall(r'<tr><th scope="row".*?</tr>', table)
    assert len(rows) == 5
    point = walked.optimized.trials.point(first.chosen)
    keys = [float(key) for key in re.findall(r'data-key="([^"]+)"', rows[0])]
    assert keys == pytest.approx([1, point[FAST], point[SLOW], first.inside[0], first.outside[0]])
    assert "all bars" in rows[-1]
    without = folds_table(walked)
    assert "bar 150 … bar 449" in without


def test_what_is_described_is_json_and_complete(combined):
    told = described(combined.optimized, BARS.time)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["folds"][0]["test"] == [[str(BARS.time[0])[:10], str(BARS.time[449])[:10]]], "both as one"
    assert told["folds"][0]["outside"]["max_drawdown"] is None
    assert set(told["chosen"]) == {FAST, SLOW}
    assert told["objectives"] == ["sharpe", "max_drawdown"]
    assert told["sentence"] == Neighbours(Landscape(combined.optimized)).sentence
    assert told["neighbours"] == len(Neighbours(Landscape(combined.optimized)).rows)


def test_ten_thousand_trials_make_a_small_page(walked):
    result = replace(walked, optimized=listed(10_000, MIXED))
    assert len(page(result, library="").encode()) < 400_000


MISSING = {
    "no folds": lambda found: replace(found, folds=(), first=450),
    "one fold": lambda found: replace(found, folds=found.folds[:1]),
    "one trial": lambda found: keeping(found, 1),
    "two trials": lambda found: keeping(found, 2),
    "all failed but one": lambda found: failing(found, 5),
}


@pytest.mark.parametrize("case", MISSING)
def test_where_things_are_missing_the_page_is_written_still(walked, case):
    found = MISSING[case](walked.optimized)
    told = described(found, BARS.time)
    json.dumps(told, allow_nan=False)
    text = page(replace(walked, optimized=found, manifest={"optimized": told}), library="")
    assert "nan" not in re.sub(r"<script.*?</script>", "", text, flags=re.S).lower().replace("finan", "")
    assert charts_of(text)


def test_only_words_one_parameter_and_no_benchmark(walked):
    words = SearchSpace({"strategy.params.kind": Choices(("ema", "sma", "<wma>"))})
    found = listed(30, words)
    text = page(replace(walked, optimized=found, benchmark=None, comparison=None, verdict=None), library="")
    assert "Importance: one parameter was varied." in text
    assert 'class="sentence">' in text, "without a verdict the usual sentence comes first"
    assert "kind" in charts_of(text)["neighbourhood"]["layout"]["xaxis"]["title"]["text"]
    assert tried(Landscape(found)).startswith("30 parameter sets of kind by tpe.")


def test_every_chart_is_drawn_without_errors(combined, tmp_path):
    told = described(combined.optimized, BARS.time)
    result = replace(combined, manifest={"optimized": told})
    report = write_report(result, tmp_path / "run", section=ReportSection(), assets=tmp_path / "assets")
    elements, log = browsed(report, tmp_path / "user")
    assert "CONSOLE" not in log, log
    figures = re.split(r'(?=<figure class="chart")', elements)[1:]
    drawn = {re.search(r'id="([^"]+)"', figure)[1]: "main-svg" in figure for figure in figures}
    names = ["progress", "promise", "stability", "neighbourhood", "coordinates", "importance"]
    assert all(drawn[name] for name in [*names, "paths", "front"]), drawn
