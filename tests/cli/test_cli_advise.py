"""advise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ADVISED = """\
name: advised
data: {use: synthetic, params: {bars: 900, assets: 2}}
strategy:
  use: recommended
  params:
    candidates: [{use: buy_and_hold}, {use: sma_cross}]
    trees: 5
    least: 20
  first: 600
  refit: 200
regime: trend_volatility
patterns: [candlesticks]
volatility: {use: ewma, horizon: 5}
scorer: {use: logistic, first: 300, min_outcomes: 10, act: none, threshold: base}
"""


@pytest.fixture
def advised(here: Path) -> Path:
    (here / "advised.yaml").write_text(ADVISED)
    return Path("advised.yaml")


def test_a_short_block_for_each_symbol(invoke, advised):
    done = invoke("advise", advised)
    assert done.exit_code == 0, done.output
    blocks = done.output.strip().split("\n\n")
    assert [block.split()[0] for block in blocks] == ["S1", "S2"]
    for block in blocks:
        assert 7 <= len(block.splitlines()) <= 16
        for word in ("regime", "hold", "volatility", "over the next 21 bars", "Follows", "% sure"):
            assert word in block
        assert block.count("followed") == 1


def test_json_says_the_same_and_nothing_else(invoke, advised):
    done = invoke("advise", advised, "--json", "--symbol", "S2")
    (one,) = json.loads(done.stdout)["advice"]
    assert one["symbol"] == "S2"
    assert one["regime"]["name"] in invoke("advise", advised, "--symbol", "S2").output
    assert {item["candidate"] for item in one["ranked"]} == {"buy_and_hold", "sma_cross"}
    assert len(list(Path("results/advice").iterdir())) == 1


def test_a_symbol_that_is_not_there_is_named(invoke, advised):
    done = invoke("advise", advised, "--symbol", "S3")
    assert done.exit_code == 2
    assert "S3" in done.output
    assert not Path("results/advice").exists()


def test_a_plain_strategy_has_an_answer_too(invoke, small):
    done = invoke("advise", small)
    assert done.exit_code == 0, done.output
    assert "says sma_cross" in done.output
    assert "regime" not in done.output
