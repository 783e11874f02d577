"""Every mistake in plain words, at its line, all at once."""

from __future__ import annotations

import pytest

from windtunnel.errors import ConfigError
from windtunnel.experiment import from_mapping, load


def refused(path, host):
    with pytest.raises(ConfigError) as caught:
        load(path, host=host)
    return str(caught.value)


def test_the_documented_form(host, write):
    path = write(
        """
        name: mine
        data:
          use: files

        strategy:
          use: cross
          params: {fsat: 20}
        backtest:
          cash: 10_000

          fill: close
          fees: -0.001
        """,
        "configs/mine.yaml",
    )
    assert refused(path, host) == (
        "configs/mine.yaml:7: strategy.params.fsat: unknown parameter of cross. Did you mean fast?\n"
        "    fast: int ≥ 2, searched 5 … 50, default 10 — Fast window, in bars.\n"
        "configs/mine.yaml:12: backtest.fees: must be at least 0 (got -0.001)\n"
        "2 mistakes; nothing was run."
    )


MESSAGES = [
    ("strategy: {use: cros}", "strategy.use: unknown strategy 'cros'. Did you mean cross?"),
    ("strategy: {use: 3}", "strategy.use: must be text (got 3); put it in quotes"),
    ("strategy: 3", "strategy: must be a mapping (got 3)"),
    ("strategy: {params: {fast: 3}}", "strategy.use: is required"),
    ("strategy: {use: cross, params: [1]}", "strategy.params: must be a mapping (got a list)"),
    ("strategy: {use: cross, prams: {}}", "strategy.prams: unknown key. Did you mean params?"),
    ("strategy: {use: cross, refit: 0}", "strategy.refit: must be at least 1 (got 0)"),
    ("strategy: {use: cross, refit: 2.5}", "strategy.refit: must be a whole number (got 2.5)"),
    ("strategy: {use: cross, refit: 010}", "strategy.refit: must be a whole number (got '010')"),
    ("strategy: {use: cross, params: {fast: 60}}", "strategy.params: fast must be less than slow"),
    ("strategy: {use: cross, params: {slow: 501}}", "strategy.params.slow: must be at most 500 (got 501)"),
    (
        "strategy: {use: cross, params: {fast: true}}",
        "strategy.params.fast: must be a whole number (got true)",
    ),
    (
        "strategy: {use: cross, params: {zzz: 1}}",
        "strategy.params.zzz: unknown parameter of cross. "
        "Known: fast, slow, kind_of_mean, since, levels, costs",
    ),
    (
        "strategy: {use: cross, params: {kind_of_mean: simpl}}",
        "strategy.params.kind_of_mean: must be one of simple, exponential (got 'simpl'). "
        "Did you mean simple?",
    ),
    (
        "strategy: {use: cross, params: {since: 2008-02-30}}",
        "strategy.params.since: must be a date such as 2008-09-15 (got '2008-02-30')",
    ),
    ("strategy: {use: cross, params: {levels: 1}}", "strategy.params.levels: must be a list (got 1)"),
    (
        "strategy: {use: cross, params: {levels: [1, a]}}",
        "strategy.params.levels.1: must be a number (got 'a')",
    ),
    (
        "strategy: {use: cross, params: {costs: {rat: 1}}}",
        "strategy.params.costs.rat: unknown key. Did you mean rate?",
    ),
    (
        "strategy: {use: cross, params: {costs: {rate: -1}}}",
        "strategy.params.costs.rate: must be at least 0 (got -1)",
    ),
    ("strategy: half", "strategy.params.inner: is required"),
    (
        "strategy: {use: half, params: {inner: {use: cross, params: {fsat: 2}}}}",
        "strategy.params.inner.params.fsat: unknown parameter of cross. Did you mean fast?",
    ),
    (
        "strategy: {use: half, params: {inner: {use: cros}}}",
        "strategy.params.inner.use: unknown strategy 'cros'. Did you mean cross?",
    ),
    (
        "strategy: {use: half, params: {inner: cross}}",
        "strategy.params.inner: must be a strategy, written as {use: name, params: {…}} (got 'cross')",
    ),
    (
        "strategy: {use: faulty, params: {divisor: 0}}",
        "strategy.params: faulty could not check its parameters: ZeroDivisionError: "
        "integer division or modulo by zero",
    ),
    ("data: {use: files, symbols: A}", "data.symbols: must be a list of names (got 'A')"),
    ("data: {use: files, symbols: [600519]}", "data.symbols.0: must be text (got 600519); put it in quotes"),
    ("data: {use: files, params: {path: 3}}", "data.params.path: must be text (got 3); put it in quotes"),
    ("data: {use: files, quality: {repair: 5}}", "data.quality.repair: must be text, or a mapping (got 5)"),
    (
        "data: {use: files, quality: {repair: {a: []}}}",
        "data.quality.repair.a: must be text (got an empty list)",
    ),
    ("patterns: shapes", "patterns: must be a list (got 'shapes')"),
    (
        "patterns: [shapes, {use: shapes, params: {width: 0}}]",
        "patterns.1.params.width: must be at least 1 (got 0)",
    ),
    ("scorer: {use: x, threshold: 1.5}", "scorer.threshold: must be less than 1, or base (got 1.5)"),
    (
        "scorer: {use: x, threshold: bas}",
        "scorer.threshold: must be a number, or base (got 'bas'). Did you mean base?",
    ),
    ("scorer: {use: x, outcome: {stop: 0}}", "scorer.outcome.stop: must be greater than 0 (got 0)"),
    ("volatility: {use: flt}", "volatility.use: unknown volatility model 'flt'. Did you mean flat?"),
    ("gate: {}", "gate: needs regime or pattern"),
    ("gate: {regime: x}\nregime: calm", "gate.regime: must be a list, or a mapping (got 'x')"),
    (
        "gate: {regime: []}\nregime: calm",
        "gate.regime: must be a list of at least 1, or a mapping (got an empty list)",
    ),
    ("gate: {regime: {nto: [x]}}\nregime: calm", "gate.regime.nto: unknown key. Did you mean not?"),
    (
        "gate: {regime: {not: []}}\nregime: calm",
        "gate.regime.not: must be a list of at least 1 (got an empty list)",
    ),
    ("gate: {regime: {not: [3]}}\nregime: calm", "gate.regime.not.0: must be text (got 3); put it in quotes"),
    ("gate: {regime: [bull]}", "gate.regime: needs a regime section"),
    ("reliability: base", "reliability: needs a patterns section"),
    (
        "volatility: {use: flat, stops: forecast}",
        "volatility.stops: needs a stop or a target of backtest in ATR, such as {atr: 2}",
    ),
    ("gate: {pattern: bullish}", "gate.pattern: needs a patterns section"),
    ("sizing: {target_volatility: 0.1}", "sizing.target_volatility: needs a volatility section"),
    ("sizing: {fraction: 1.01}", "sizing.fraction: must be at most backtest.leverage = 1 (got 1.01)"),
    ("regime: {use: calm, of: benchmark}\nbenchmark: null", "regime.of: needs a benchmark"),
    (
        "backtest: {fill: nxt_open}",
        "backtest.fill: must be one of next_open, close (got 'nxt_open'). Did you mean next_open?",
    ),
    ("backtest: {cash: yes}", "backtest.cash: must be a number (got 'yes')"),
    ("backtest: {cash: .inf}", "backtest.cash: must be a finite number"),
    ("backtest:", "backtest: must be a mapping (got null)"),
    ("report: {html: True}", "report.html: must be true or false (got 'True')"),
    ("seed: -1", "seed: must be at least 0 (got -1)"),
    ("name: a b", "name: must be text that matches ^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$ (got 'a b')"),
    ("plugins: {alow: [x]}", "plugins.alow: unknown key. Did you mean allow?"),
    (
        "zzz: {use: grid}",
        "zzz: unknown key. Known: name, data, strategy, patterns, reliability, regime, scorer, volatility, "
        "gate, sizing, backtest, sweep, optimize, validate, execution, ledger, benchmark, seed, report, "
        "plugins",
    ),
    (
        "<<: {seed: 3}",
        "<<: unknown key. Known: name, data, strategy, patterns, reliability, regime, scorer, "
        "volatility, gate, sizing, backtest, sweep, optimize, validate, execution, ledger, benchmark, "
        "seed, report, plugins",
    ),
    (
        "benchmark: AB\ndata: {use: files, symbols: [ABC, X]}",
        "benchmark: must be one of data.symbols (got 'AB'). Did you mean ABC?",
    ),
]


@pytest.mark.parametrize(("text", "message"), MESSAGES, ids=[text for text, _ in MESSAGES])
def test_one_mistake_is_one_message(host, write, text, message):
    base = {"data": "data: files\n", "strategy": "strategy: cross\n"}
    rest = "".join(line for key, line in base.items() if not text.startswith(key) and f"\n{key}" not in text)
    lines = refused(write(f"# first\n{text}\n{rest}"), host).splitlines()
    unknown = ".use: unknown signal scorer"
    said = [line for line in lines if not line.startswith("    ") and unknown not in line]
    assert said[0] == f"mine.yaml:2: {message}"
    assert len(said) == 2


def test_what_is_missing_stands_at_the_mapping_that_lacks_it(host, write):
    assert refused(write("# first\nseed: 3\nregime:\n  refit: 3"), host).splitlines() == [
        "mine.yaml:2: data: is required",
        "    data: mapping, required — Which bars the experiment runs on.",
        "mine.yaml:2: strategy: is required",
        "    strategy: mapping, required — What to hold.",
        "mine.yaml:3: regime.use: is required",
        "    use: text, required — Name of the plugin.",
        "3 mistakes; nothing was run.",
    ]


def test_a_misspelt_key_is_not_also_missing(host, write):
    assert refused(write("data: files\nstratgy: cross"), host).splitlines() == [
        "mine.yaml:2: stratgy: unknown key. Did you mean strategy?",
        "    strategy: mapping, required — What to hold.",
        "1 mistake; nothing was run.",
    ]


def test_mistakes_of_all_sorts_come_together_in_order_of_lines(host, write):
    path = write(
        """
        sed: 3
        data: {use: files, symbols: [A], params: {pth: x}}
        strategy: {use: cross, params: {fast: 1, slow: a}}
        benchmark: B
        gate: {pattern: bullish}
        seed: 1
        seed: 2
        volatility: {use: fla}
        """
    )
    keys = [line.split(": ")[0:2] for line in refused(path, host).splitlines()[:-1] if line[0] != " "]
    assert keys == [
        ["mine.yaml:1", "sed"],
        ["mine.yaml:2", "data.params.pth"],
        ["mine.yaml:3", "strategy.params.fast"],
        ["mine.yaml:3", "strategy.params.slow"],
        ["mine.yaml:4", "benchmark"],
        ["mine.yaml:5", "gate.pattern"],
        ["mine.yaml:7", "seed"],
        ["mine.yaml:8", "volatility.use"],
    ]


def test_a_long_value_is_shortened(host, write):
    said = refused(write(f"data: files\nstrategy: cross\nseed: {'x' * 500}"), host)
    assert f"(got '{'x' * 59}…')" in said


def test_without_a_file_only_the_key_is_named(host):
    with pytest.raises(ConfigError) as caught:
        from_mapping({"data": "files", "strategy": {"use": "cross", "params": {"fast": 1}}}, host=host)
    assert str(caught.value).splitlines()[0] == "strategy.params.fast: must be at least 2 (got 1)"


def test_what_cannot_be_printed_is_escaped(host, write):
    said = refused(write('data: files\nstrategy: cross\n"a\\nb\\e[31m": 1\nseed: "x\\ny"'), host)
    assert r"mine.yaml:3: a\nb\x1b[31m: unknown key." in said
    assert r"mine.yaml:4: seed: must be a whole number (got 'x\ny')" in said
    assert len(said.splitlines()) == 3
