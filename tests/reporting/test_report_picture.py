"""The static picture."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from windtunnel.bars import Bars
from windtunnel.reporting import equity_picture
from windtunnel.values import Rules

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_holds_both_accounts_and_their_drawdowns(result, tmp_path):
    root = ElementTree.parse(equity_picture(result, tmp_path / "equity.svg")).getroot()
    kinds = [line.get("class") for line in root.iter(f"{SVG}polyline")]
    assert sorted(kinds) == ["benchmark", "benchmark", "strategy", "strategy"]
    assert not list(root.iter(f"{SVG}script"))
    assert "10,000 became" in "".join(root.itertext())
    for line in root.iter(f"{SVG}polyline"):
        points = np.array([pair.split(",") for pair in line.get("points").split()], float)
        assert (np.diff(points[:, 0]) >= 0).all()
        assert points[:, 0].min() >= 0
        assert points[:, 0].max() <= 900
        assert points[:, 1].min() >= 0
        assert points[:, 1].max() <= 440
    assert len(list(root.iter(f"{SVG}line"))) >= 6


def test_the_scale_is_logarithmic(make_result, tmp_path):
    time = np.datetime64("2020-01-01", "ns") + np.arange(3) * np.timedelta64(1, "D")
    bars = Bars.from_arrays(time, [100.0, 1_000.0, 10_000.0], symbols=["A"])
    result = make_result(bars=bars, weights=np.ones((3, 1)), models=False, rules=Rules(fill="close"))
    root = ElementTree.parse(equity_picture(result, tmp_path / "equity.svg")).getroot()
    line = next(line for line in root.iter(f"{SVG}polyline") if line.get("class") == "strategy")
    heights = [float(pair.split(",")[1]) for pair in line.get("points").split()]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.2)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_name_is_escaped_and_few_bars_do_not_fail(make_result, tmp_path, rows):
    result = make_result(rows=rows, name="<&>", benchmark=False, models=False)
    root = ElementTree.parse(equity_picture(result, tmp_path / "equity.svg")).getroot()
    assert "<&>: 10,000 became" in "".join(root.itertext())
