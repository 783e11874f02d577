"""The page: what stands in it, what must not, and what happens where something is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.reporting import ReportSection, page, write_report
from windtunnel.reporting.small_print import facts
from windtunnel.values import Metric, Rules, Section

NASTY = "<b>&\"'</script><script>alert(1)</script>"


class Reading(HTMLParser):
    """Collects elements, and the text inside some."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        for tag in self._open:
            self.texts.setdefault(tag, []).append(data)

    def text(self, tag: str) -> str:
        return "".join(self.texts.get(tag, []))

    @property
    def ids(self) -> list[str]:
        return [attrs["id"] for _, attrs in self.elements if attrs.get("id")]

    @property
    def charts(self) -> dict[str, dict]:
        texts = self.texts["script"]
        return json.loads(next(text for text in texts if text.startswith("{")))


def read(result, **more) -> Reading:
    return Reading(page(result, library='<script src="plotly.js"></script>', **more))


def test_everything_stands_in_its_order(result):
    reading = read(result)
    wanted = ["result", "equity", "story", "trades-0", "exposure", "volatility", "scores", "contributions",
              "certainty", "intervals", "distribution", "rolling", "figures", "setup", "print"]  # fmt: skip
    assert [name for name in reading.ids if name in wanted] == wanted
    assert len(set(reading.ids)) == len(reading.ids)
    assert result.sentence in reading.text("p")
    assert "no opinion on 1" in reading.text("p")


def test_every_chart_has_its_figure_and_every_figure_its_chart(result):
    reading = read(result)
    figures = {attrs["id"] for tag, attrs in reading.elements if tag == "figure"}
    assert figures == set(reading.charts)
    assert all(attrs.get("aria-label") for _, attrs in reading.elements if attrs.get("class") == "plot")


def test_headlines_stand_beside_the_benchmark(result):
    words = read(result).text("dl")
    for title in ("CAGR", "Sharpe", "drawdown", "invested"):
        assert title in words
    assert words.count("holding AAA") == 4
    assert re.search(r"\[−?\d\.\d\d, −?\d\.\d\d\]", words)


def test_nothing_is_loaded_from_elsewhere(result):
    for tag, attrs in read(result).elements:
        for name in ("src", "href", "srcset", "data", "action"):
            assert not re.match(r"(https?:)?//", attrs.get(name) or ""), (tag, attrs)
    text = page(result, library="")
    assert "@import" not in text
    assert "default-src 'none'" in text


def test_what_users_and_plugins_supply_is_escaped(make_result):
    result = make_result(symbols=(NASTY, "BBB"), name=NASTY)
    result = replace(result, config={"name": NASTY, "strategy": {"use": NASTY}}, manifest={NASTY: [NASTY]})
    text = page(result, library="")
    reading = Reading(text)
    assert "alert(1)" not in [part.strip() for part in reading.texts["script"]]
    assert not any(tag == "b" for tag, _ in reading.elements)
    assert text.count("</script>") == 2
    assert NASTY in reading.text("h1")
    drawn = json.dumps(reading.charts)
    assert "<b>" not in drawn
    assert "&lt;b&gt;" in drawn
    assert "<wild>" not in drawn
    assert "&lt;wild&gt;" in drawn


def test_a_sections_html_is_inserted_as_it_is_and_its_title_is_not(result):
    text = page(result, library="", extra=[Section("A <new> thing", "<p id='mine'>hello</p>")])
    assert "<p id='mine'>hello</p>" in text
    assert "A &lt;new&gt; thing" in text
    assert text.index("mine") < text.index('id="figures"')


def test_the_same_result_gives_the_same_page(make_result):
    assert page(make_result(), library="") == page(make_result(), library="")


def test_reports_share_one_copy_of_the_chart_library(result, tmp_path: Path):
    assets = tmp_path / "the assets"
    for run in ("first", "second"):
        report = write_report(result, tmp_path / "name" / run, section=ReportSection(), assets=assets)
    copies = list(assets.iterdir())
    assert [re.fullmatch(r"plotly-[\d.]+\.min\.js", copy.name) is not None for copy in copies] == [True]
    assert copies[0].stat().st_size > 1_000_000
    reading = Reading(report.read_text(encoding="utf-8"))
    sources = [attrs["src"] for tag, attrs in reading.elements if tag == "script" and "src" in attrs]
    assert sources == [f"../../the%20assets/{copies[0].name}"]
    assert (report.parent / sources[0].replace("%20", " ")).resolve() == copies[0].resolve()
    assert report.stat().st_size < 1_000_000
    assert [path.name for path in report.parent.iterdir()] == ["report.html"]


def test_a_broken_copy_of_the_chart_library_is_replaced(result, tmp_path: Path):
    write_report(result, tmp_path / "run", section=ReportSection(), assets=tmp_path)
    (copy,) = tmp_path.glob("*.js")
    size = copy.stat().st_size
    copy.write_text("half")
    write_report(result, tmp_path / "run", section=ReportSection(), assets=tmp_path)
    assert copy.stat().st_size == size


def test_inline_needs_no_other_file(result, tmp_path: Path):
    report = write_report(
        result, tmp_path / "run", section=ReportSection(inline=True), assets=tmp_path / "no"
    )
    assert not (tmp_path / "no").exists()
    assert report.stat().st_size > 1_000_000
    assert "<script src" not in report.read_text(encoding="utf-8")


def test_a_failed_write_leaves_nothing(result, tmp_path: Path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(OSError, match=r"report\.html"):
        write_report(result, tmp_path, section=ReportSection(inline=True), assets=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_without_models_and_benchmark_the_page_says_what_is_missing(make_result):
    reading = read(make_result(models=False, benchmark=False))
    assert "no benchmark" in reading.text("p")
    assert "there is no gate, scorer or sizing" in reading.text("p")
    assert not {"volatility", "scores", "intervals"} & set(reading.charts)
    assert "holding" not in reading.text("dl")


def test_without_trades_there_is_no_trade_chart(make_result):
    result = make_result(models=False, weights=np.zeros((600, 2)))
    reading = read(result)
    assert "Trades: there was none." in reading.text("p")
    assert set(reading.charts) == {"equity"}
    assert "Equity never fell" in reading.text("figcaption")


@pytest.mark.parametrize("rows", [1, 2, 3, 30])
def test_few_bars_make_a_short_report(make_result, rows):
    reading = read(make_result(rows=rows, models=False))
    assert ("equity" in reading.charts) == (rows > 1)
    assert "figures" in reading.ids


def test_a_ruined_account_is_drawn_on_a_linear_scale(make_result):
    time = np.datetime64("2020-01-01", "ns") + np.arange(4) * np.timedelta64(1, "D")
    bars = Bars.from_arrays(time, [100.0, 100.0, 250.0, 250.0], symbols=["UP"])
    short = np.array([[-1.0], [-1.0], [-1.0], [0.0]])
    result = make_result(bars=bars, weights=short, models=False, rules=Rules(fill="close"))
    assert result.simulation.equity.min() <= 0
    assert read(result).charts["equity"]["layout"]["yaxis"]["type"] == "linear"


def test_undefined_figures_are_dashes(make_result):
    result = make_result(models=False)
    result = replace(result, metrics=dict.fromkeys(result.metrics, float("nan")) | {"mine": 1.5})
    result = replace(result, figures=(*result.figures, Metric("mine", "Mine", lambda _: 1.5, None, "ratio")))
    reading = read(result)
    assert "–" in reading.text("dl")
    assert "nan" not in reading.text("td")
    assert "Mine" in reading.text("tbody")


def test_a_symbol_can_be_chosen_among_the_busiest_six(make_result):
    reading = read(make_result(symbols=tuple("ABCDEFGH")))
    options = [attrs["value"] for tag, attrs in reading.elements if tag == "option"]
    assert options == [f"trades-{column}" for column in range(6)]
    hidden = [attrs["id"] for tag, attrs in reading.elements if tag == "figure" and "hidden" in attrs]
    assert hidden == options[1:]


def test_tables_sort_by_keys_and_name_the_better_value(result):
    text = page(result, library="")
    row = re.search(r"<tr><th scope=\"row\">Sharpe ratio</th>(.*?)</tr>", text)
    assert row is not None
    keys = [float(key) for key in re.findall(r'data-key="([^"]+)"', row[1])]
    assert keys == pytest.approx([result.metrics["sharpe"], result.benchmark.metrics["sharpe"]])
    bold = re.search(r'data-key="([^"]+)"><strong>', row[1])
    assert bold is not None
    assert float(bold[1]) == max(keys)
    assert '<thead><tr><th scope="col"><button>figure' in text


def test_months_are_tinted_around_zero(make_result):
    time = np.array(["2020-01-31", "2020-02-03", "2020-02-28", "2020-04-01"], "datetime64[ns]")
    bars = Bars.from_arrays(time, [100.0, 100.0, 110.0, 99.0], symbols=["A"])
    text = page(
        make_result(bars=bars, weights=np.ones((4, 1)), models=False, rules=Rules(fill="close")), library=""
    )
    assert "The best month made +10.0% (Feb 2020), the worst −10.0% (Apr 2020)" in text
    assert re.search(r'class="gain" style="--share:1.00" title="2020 Feb: \+10.00%"', text)
    assert re.search(r'class="loss" style="--share:1.00" title="2020 Apr: −10.00%"', text)
    assert re.search(r'class="flat" style="--share:0.00" title="2020 Jan', text)


def test_the_small_print_is_for_people(result):
    manifest = {
        "id": "abc123",
        "sentence": "told above",
        "comparison": {"sharpe_low": -0.123456789},
        "effects": [{"part": "gate", "sentence": "told above"}],
        "data": {"library": None, "gaps": 0, "periods_per_year": 252.0, "repairs": {"sort": 2}},
        "seed": 1234567,
        "fits": {"logistic": 68},
        "plugins": [
            {"kind": "scorer", "name": "logistic", "package": "acme", "version": "0.3", "reads": ""}
        ],
        "timings": {"run": 0.12345678901234567, "report": 2.0},
        "complaints": [],
    }  # fmt: skip
    assert list(facts(replace(result, manifest=manifest))) == [
        ("data", "AAA, BBB: 2010-01-01 … 2011-08-23, 600 bars"),
        ("content of the data", result.bars.hash),
        ("run", "abc123"),
        ("bars missing", "0"),
        ("rows repaired", "sort 2"),
        ("bars a year", "252"),
        ("seed", "1234567"),
        ("fits", "logistic 68"),
        ("scorer logistic", "acme 0.3"),
        ("timings", "run 0.1235, report 2"),
    ]


def test_the_header_names_parameters_as_the_terminal_does(result):
    config = {"strategy": {"use": "hand", "params": {"fast": 20, "short": False}}}
    assert "hand(fast=20, short=false)" in read(replace(result, config=config)).text("header")


def test_the_regime_is_that_of_a_symbol(result):
    chart = read(result).charts["equity"]
    assert "regime of AAA" in [trace["name"] for trace in chart["data"]]
    assert "The ribbon is the regime of AAA." in read(result).text("figcaption")


def test_entries_that_made_no_trade_are_explained(result, make_result):
    words = "wanted {} entries (one that finds no cash does not become a trade)"
    before = {**result.effects[0].before, "trades": 10}
    first = replace(result.effects[0], before=before)
    few = replace(result, effects=(first, *result.effects[1:]))
    assert words.format(14) in read(few).text("p")
    all_traded = replace(few, effects=(replace(first, before={**before, "trades": 14}),))
    assert "wanted 14 entries; the gate refused 3" in read(all_traded).text("p")
