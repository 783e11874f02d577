"""A result that moves is red with the first fill that differs and with what changed; else all is quiet."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from windtunnel.cli.guard import Guarded
from windtunnel.cli.honesty import check as check_command
from windtunnel.cli.honesty import verify as verify_command
from windtunnel.testing import CheckReport, check, compare, experiments_in
from windtunnel.testing.baselines import MOST_FILLS

CONFIG = """
name: {name}
data: {{use: csv, params: {{path: prices.csv}}}}
strategy: {{use: above, params: {{level: 100}}}}
backtest: {{cash: 1000, fees: {fees}}}
plugins: {{files: [above.py]}}
"""
PLUGIN = '''
"""A strategy of the tests."""

from windtunnel import Strategy


class Above(Strategy):
    """Long while the close is above a level."""

    name = "above"
    level: float = 100.0

    def exposure(self, market):
        """Return where the close is above the level."""
        return market.close > self.level
'''
CLOSES = [90, 110, 120, 90, 90, 90, 125, 100, 80, 90, 100, 105, 110, 90]
"""Above 100 on bars 1 and 2, 6, 11 and 12: bought at the opens of bars 2, 7 and 12, sold at 4 and 8."""


class Lab:
    """A folder with one experiment: its prices, plugin and baselines."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.baselines = folder, folder / "baselines"
        self.config()
        self.plugin()
        self.prices(CLOSES)

    def config(self, *, name: str = "lab", fees: float = 0.0, file: str = "lab.yaml") -> Path:
        path = self.folder / file
        path.write_text(CONFIG.format(name=name, fees=fees))
        return path

    def plugin(self, source: str = PLUGIN) -> None:
        (self.folder / "above.py").write_text(source)

    def prices(self, closes: list[float]) -> None:
        days = np.datetime64("2020-01-01") + np.arange(len(closes))
        rows = [f"{day},{close},{close},{close},{close}" for day, close in zip(days, closes, strict=True)]
        (self.folder / "prices.csv").write_text("\n".join(["time,open,high,low,close", *rows]))

    def check(self, **options: Any) -> CheckReport:
        (report,) = check([self.folder / "lab.yaml"], self.baselines, **options)
        return report

    @property
    def baseline(self) -> dict[str, Any]:
        return json.loads((self.baselines / "lab.json").read_text())

    def rewrite(self, change: Callable[[dict[str, Any]], None]) -> None:
        """Change the baseline by hand."""
        baseline = self.baseline
        change(baseline)
        (self.baselines / "lab.json").write_text(json.dumps(baseline))


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.chdir(tmp_path)
    lab = Lab(tmp_path)
    lab.check(update=True)
    return lab


class TestGreen:
    def test_the_same_experiment_says_nothing(self, lab: Lab) -> None:
        assert lab.check() == CheckReport("lab", "same")

    def test_no_run_is_kept(self, lab: Lab) -> None:
        lab.check()
        assert {path.name for path in lab.folder.iterdir()} == {
            "lab.yaml", "above.py", "prices.csv", "baselines", "__pycache__",
        } - ({"__pycache__"} if not (lab.folder / "__pycache__").exists() else set())  # fmt: skip

    def test_the_baseline_holds_hand_computed_fills(self, lab: Lab) -> None:
        fills = lab.baseline["fills"]
        assert fills["count"] == 5
        assert fills["first"][:3] == [
            "2020-01-03 +8.33333333333 120 prices",
            "2020-01-05 -8.33333333333 90 prices",
            "2020-01-08 +7.5 100 prices",
        ]

    def test_the_last_bits_of_another_machine_do_not_matter(self, lab: Lab) -> None:
        def another_machine(baseline: dict[str, Any]) -> None:
            baseline["fills"]["hash"] = "0"
            baseline["fills"]["first"][0] = "2020-01-03 +8.33333333338 119.99999999997 prices"
            baseline["metrics"]["sharpe"] *= 1 + 1e-8

        lab.rewrite(another_machine)
        assert lab.check().state == "same"

    def test_a_new_library_does_not_matter_by_itself(self, lab: Lab) -> None:
        lab.rewrite(lambda baseline: baseline["versions"].update({"TA-Lib": "0.1"}))
        assert lab.check().state == "same"

    def test_a_metric_that_is_new_has_not_moved(self, lab: Lab) -> None:
        lab.rewrite(lambda baseline: baseline["metrics"].pop("sortino"))
        assert lab.check().state == "same"


class TestRed:
    def test_a_change_in_fees(self, lab: Lab) -> None:
        lab.config(fees=0.01)
        report = lab.check()
        assert (report.state, report.exit_code) == ("moved", 1)
        assert report.headline.endswith("fills differ from no. 1 on")
        assert report.details == (
            "was   2020-01-03 buy  8.33 @ 120.00",
            "now   2020-01-03 buy  8.25 @ 120.00",
            "data same · backtest.fees 0.0 → 0.01 · plugins same · versions same",
        )
        assert str(report).startswith("✗ lab   sharpe ")

    def test_a_changed_row_of_data(self, lab: Lab) -> None:
        lab.prices([*CLOSES[:5], 101, *CLOSES[6:]])
        report = lab.check()
        assert report.headline.endswith("fills differ from no. 3 on")
        assert report.details == (
            "was   2020-01-08 buy  7.50 @ 100.00",
            "now   2020-01-07 buy  6.00 @ 125.00",
            "first difference: data csv, in the bars from 2020-01-06 on",
            "data changed · config same · plugins same · versions same",
        )

    def test_the_first_fills_agree_where_they_should(self, lab: Lab) -> None:
        lab.prices([*CLOSES[:5], 101, *CLOSES[6:]])
        was = lab.baseline["fills"]["first"]
        lab.check(update=True)
        assert lab.baseline["fills"]["first"][:2] == was[:2]

    def test_a_changed_plugin(self, lab: Lab) -> None:
        lab.plugin(PLUGIN.replace("> self.level", ">= self.level"))
        report = lab.check()
        assert report.headline.endswith("fills differ from no. 4 on")
        assert report.details == (
            "was   2020-01-09 sell 7.50 @ 80.00",
            "now   2020-01-10 sell 7.50 @ 90.00",
            "first difference: strategy above, in the bars from 2020-01-08 on",
            "data same · config same · strategy above changed · versions same",
        )

    def test_fills_that_came_to_an_end(self, lab: Lab) -> None:
        lab.prices([*CLOSES[:10], 90, 90, 90, 90])
        assert lab.check().details[:2] == (
            "was   2020-01-13 buy  5.45 @ 110.00",
            "now   no more fills",
        )  # fmt: skip

    def test_a_metric_whose_formula_changed(self, lab: Lab) -> None:
        def another_formula(baseline: dict[str, Any]) -> None:
            baseline["metrics"]["sharpe"] += 0.001
            baseline["metrics"]["trades"] = 4
            baseline["versions"]["TA-Lib"] = "0.1"
            baseline["versions"]["windtunnel"] += "0"

        lab.rewrite(another_formula)
        report = lab.check()
        assert report.headline.count("→") == 2
        assert report.headline.endswith("trades 4 → 3")
        assert len(report.details) == 1
        assert report.details[0].startswith(
            "data same · config same · plugins same · windtunnel's source changed"
        )
        assert "TA-Lib 0.1 → " in report.details[0]

    def test_a_run_that_is_not_deterministic(self, lab: Lab) -> None:
        lab.rewrite(lambda baseline: baseline["metrics"].update(sharpe=1.0))
        assert lab.check().details == (
            "data, config, plugins and versions are the same: the run is not deterministic",
        )

    def test_a_metric_that_was_not_defined(self, lab: Lab) -> None:
        lab.rewrite(lambda baseline: baseline["metrics"].update(sharpe=None))
        assert lab.check().headline.startswith("sharpe none → ")

    def test_a_baseline_may_allow_more(self, lab: Lab) -> None:
        def looser(baseline: dict[str, Any]) -> None:
            baseline["metrics"]["sharpe"] *= 1.05
            baseline["tolerance"]["relative"] = 0.1

        lab.rewrite(looser)
        assert lab.check().state == "same"

    def test_more_fills_than_are_written_down(self, lab: Lab) -> None:
        was = lab.baseline
        now = json.loads(json.dumps(was))
        now["fills"] |= {"count": MOST_FILLS + 7, "hash": "0"}
        was["fills"]["count"] = MOST_FILLS + 5
        report = compare(was, now)
        assert report.headline == "fills differ from no. 6 on"
        assert report.details[:2] == ("was   3,505 fills in all", "now   3,507 fills in all")

    def test_a_long_list_of_figures_is_cut_short(self, lab: Lab) -> None:
        lab.config(fees=0.01)
        assert " more   fills differ" in lab.check().headline

    def test_no_baseline(self, lab: Lab) -> None:
        (lab.baselines / "lab.json").unlink()
        report = lab.check()
        assert (report.state, report.exit_code) == ("missing", 1)
        assert report.details == (f"write it with: windtunnel check --update {lab.folder / 'lab.yaml'}",)

    @pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}'])
    def test_a_baseline_that_cannot_be_read(self, lab: Lab, content: str) -> None:
        (lab.baselines / "lab.json").write_text(content)
        assert lab.check().state == "failed"
        assert lab.check(update=True).state == "written"
        assert lab.check().state == "same"

    def test_an_experiment_that_cannot_be_run_does_not_stop_the_others(self, lab: Lab) -> None:
        broken = lab.folder / "broken.yaml"
        broken.write_text("data: {use: csv}\nstrategy: {use: nothing_like_it}\n")
        reports = check([broken, lab.folder / "lab.yaml"], lab.baselines)
        assert [report.state for report in reports] == ["failed", "same"]
        assert reports[0].exit_code == 2
        assert "nothing_like_it" in str(reports[0])

    def test_two_experiments_of_one_name(self, lab: Lab) -> None:
        other = lab.config(file="other.yaml")
        reports = check([lab.folder / "lab.yaml", other], lab.baselines, update=True)
        assert [report.state for report in reports] == ["same", "failed"]
        assert "has the name of" in reports[1].headline


class TestUpdate:
    def test_writes_what_comes_out_now(self, lab: Lab) -> None:
        lab.config(fees=0.01)
        report = lab.check(update=True, because="a broker asked for more")
        assert (report.state, report.exit_code) == ("written", 0)
        assert lab.baseline["because"] == "a broker asked for more"
        assert lab.check().state == "same"

    def test_leaves_the_file_alone_where_nothing_changed(self, lab: Lab) -> None:
        path = lab.baselines / "lab.json"
        before = path.stat().st_mtime_ns, path.read_bytes()
        assert lab.check(update=True).state == "same"
        assert (path.stat().st_mtime_ns, path.read_bytes()) == before

    def test_keeps_the_reason_of_a_result_that_stays(self, lab: Lab) -> None:
        lab.check(update=True, because="first")
        lab.rewrite(lambda baseline: baseline["versions"].update({"TA-Lib": "0.1"}))
        lab.check(update=True)
        assert lab.baseline["because"] == "first"
        assert lab.baseline["versions"]["TA-Lib"] != "0.1"

    def test_leaves_nothing_half_written(self, lab: Lab) -> None:
        assert [path.name for path in lab.baselines.iterdir()] == ["lab.json"]


def test_experiments_are_the_files_with_a_strategy(lab: Lab) -> None:
    (lab.folder / "common.yaml").write_text("backtest: {fees: 0.001}\n")
    (lab.folder / "child.yaml").write_text("extends: lab.yaml\n")
    (lab.folder / "broken.yaml").write_text("data: [\n")
    (lab.folder / "list.yaml").write_text("- 1\n")
    names = [path.name for path in experiments_in(lab.folder)]
    assert names == ["broken.yaml", "child.yaml", "lab.yaml"]


class TestCommands:
    @pytest.fixture
    def run(self, lab: Lab) -> Callable[..., Any]:
        app = typer.Typer(cls=Guarded, pretty_exceptions_enable=False)
        app.command("check")(check_command)
        app.command("verify")(verify_command)
        return lambda *words: CliRunner().invoke(app, [str(word) for word in words])

    def test_green_is_one_line(self, lab: Lab, run: Callable[..., Any]) -> None:
        result = run("check", "lab.yaml", "--baselines", "baselines")
        assert (result.exit_code, result.output) == (0, "✓ 1 experiment\n")

    def test_red_says_what_and_counts_the_others(self, lab: Lab, run: Callable[..., Any]) -> None:
        other = lab.config(name="other", file="other.yaml")
        run("check", other, "--baselines", "baselines", "--update")
        lab.config(fees=0.01)
        result = run("check", "lab.yaml", other, "--baselines", "baselines")
        assert result.exit_code == 1
        assert result.output.startswith("✗ lab   sharpe ")
        assert "\n    was   2020-01-03 buy  8.33 @ 120.00\n    now   2020-01-03" in result.output
        assert result.output.endswith("✓ 1 other\n")

    def test_without_arguments_it_takes_the_configs(self, lab: Lab, run: Callable[..., Any]) -> None:
        assert "there is none in configs/" in run("check").output
        (lab.folder / "configs").mkdir()
        for name in ("lab.yaml", "above.py", "prices.csv"):
            (lab.folder / name).rename(lab.folder / "configs" / name)
        assert run("check", "--update").exit_code == 0
        assert (lab.folder / "results" / "baselines" / "lab.json").is_file()
        assert run("check").output == "✓ 1 experiment\n"

    def test_wrong_input_alone_is_exit_code_2(self, lab: Lab, run: Callable[..., Any]) -> None:
        assert run("check", "nowhere.yaml").exit_code == 2
        assert run("check", "lab.yaml", "--because", "why not").exit_code == 2

    def test_check_for_machines(self, lab: Lab, run: Callable[..., Any]) -> None:
        result = run("check", "lab.yaml", "--baselines", "baselines", "--json")
        assert json.loads(result.output)["experiments"][0]["state"] == "same"

    def test_verify_passes_what_is_clean(self, lab: Lab, run: Callable[..., Any]) -> None:
        result = run("verify", "lab.yaml")
        assert result.exit_code == 0
        assert "data ✓  indicators ✓  strategy ✓  sizing ✓  engine ✓" in result.output
        assert json.loads(run("verify", "lab.yaml", "--json").output)["clean"] is True

    def test_verify_names_the_leak(self, lab: Lab, run: Callable[..., Any]) -> None:
        lab.plugin(PLUGIN.replace("> self.level", "> market.close.mean()"))
        result = run("verify", "lab.yaml", "--set", "strategy.params.level=1")
        assert result.exit_code == 1
        assert "strategy ✗" in result.output
        assert "strategy above (above.py): the exposure of prices at 2020-01-" in result.output
        found = json.loads(run("verify", "lab.yaml", "--json").output)
        assert found["findings"][0]["plugin"] == "above"
        assert found["stages"]["sizing"] == "unjudged"

    def test_verify_names_a_source_that_knows_the_future(self, lab: Lab, run: Callable[..., Any]) -> None:
        (lab.folder / "above.py").write_text(PLUGIN + ADJUSTED)
        result = run("verify", "lab.yaml", "--set", "data.use=adjusted")
        assert result.exit_code == 1
        assert result.output.startswith("  data ✗  indicators –  strategy –")
        assert "data adjusted (above.py): the " in result.output
        assert "when the source is asked for nothing after 2020-0" in result.output


ADJUSTED = '''

import numpy as np
import pandas as pd

from windtunnel import DataSource
from windtunnel.values import Table


class Adjusted(DataSource):
    """Prices as a multiple of the last one that was asked for."""

    name = "adjusted"

    def load(self, request):
        """Return them."""
        day = pd.date_range("2020-01-01", "2020-04-09" if request.end is None else request.end[:10])
        price = 100 + np.arange(len(day)) / 7
        return Table(pd.DataFrame({"time": day, "close": price / price[-1]}))
'''


class TestMissingExtra:
    """An experiment whose data need an extra that is not installed."""

    @pytest.fixture
    def configs(self, lab: Lab) -> Path:
        """The folder ``configs``: the experiment, and one that needs the extra."""
        (lab.folder / "scarce.py").write_text(
            "from windtunnel import Strategy\nfrom windtunnel.errors import MissingExtraError\n\n\n"
            "class Scarce(Strategy):\n    'Needs an extra.'\n    name = 'scarce'\n\n"
            "    def exposure(self, market):\n        raise MissingExtraError('rare', 'demo')\n"
        )
        scarce = CONFIG.format(name="scarce", fees=0.0).replace("above.py", "../scarce.py")
        scarce = scarce.replace("{use: above, params: {level: 100}}", "scarce")
        folder = lab.folder / "configs"
        folder.mkdir()
        for name, text in (("scarce", scarce), ("lab", CONFIG.format(name="lab", fees=0.0))):
            text = text.replace("prices.csv", "../prices.csv").replace("[above.py]", "[../above.py]")
            (folder / f"{name}.yaml").write_text(text)
        return folder

    def test_it_is_skipped_with_its_reason_where_it_was_not_named(self, lab: Lab, configs: Path) -> None:
        app = typer.Typer(cls=Guarded)
        app.command("check")(check_command)
        app.callback()(lambda: None)
        check([configs / "lab.yaml"], lab.baselines, update=True)
        done = CliRunner().invoke(app, ["check", "--baselines", str(lab.baselines)])
        assert done.exit_code == 0, done.output
        assert done.output == (
            f"– {Path('configs/scarce.yaml')}   skipped: rare is not installed: pip install "
            "'windtunnel[demo]'\n✓ 1 other\n"
        )

        named = CliRunner().invoke(app, ["check", "configs/scarce.yaml", "--baselines", str(lab.baselines)])
        assert named.exit_code == 2
        assert "✗" in named.output
