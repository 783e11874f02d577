"""Nothing that one can write ends in a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.errors import ConfigError
from windtunnel.experiment import from_mapping, load

KEYS = [
    *("name", "data", "strategy", "patterns", "regime", "scorer", "volatility", "gate", "sizing", "backtest"),
    *(
        "benchmark",
        "seed",
        "report",
        "plugins",
        "use",
        "params",
        "symbols",
        "start",
        "end",
        "quality",
        "repair",
    ),
    *("refit", "of", "threshold", "outcome", "not", "pattern", "within", "fast", "slow", "since", "levels"),
    *(
        "costs",
        "inner",
        "path",
        "attributes",
        "columns",
        "target_volatility",
        "fees",
        "files",
        "allow",
        "extends",
    ),
    *("sweep", "space", "metric", "from", "to", "step", "strategy.params.fast", "backtest.stop_loss"),
    *("timeframe", "resample", "first", "window", "horizon", "key", "region"),
]
WORDS = [
    "cross",
    "half",
    "files",
    "remote",
    "shapes",
    "calm",
    "flat",
    "faulty",
    "A",
    "bullish",
    "close",
    "base",
]
WORDS += ["benchmark", "${HOME}", "${NO_SUCH}", "1d", "2008-09-15", "99999-01-01", "", "drop", "\x00", "a/b"]

texts = st.sampled_from(WORDS) | st.text(max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | texts
    | st.binary(max_size=3)
    | st.complex_numbers()
)
keys = st.sampled_from(KEYS) | st.text(max_size=5)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)
components = st.sampled_from(WORDS) | st.fixed_dictionaries(
    {"use": st.sampled_from(WORDS)},
    optional={"params": st.dictionaries(keys, trees, max_size=4), "refit": trees},
)
sections = {key: trees for key in KEYS[:16] if key != "plugins"}
sections |= dict.fromkeys(("strategy", "regime", "volatility"), components | trees)
sections["data"] = trees | st.fixed_dictionaries(
    {"use": st.sampled_from(WORDS)},
    optional=dict.fromkeys(("params", "symbols", "start", "end", "timeframe", "resample", "quality"), trees),
)
experiments = st.fixed_dictionaries({}, optional=sections)


def ends_well(call):
    try:
        loaded = call()
    except ConfigError as error:
        return bool(error.mistakes) and bool(str(error).encode("utf-8", "backslashreplace"))
    return loaded.resolved()["strategy"]["use"] in WORDS


@given(experiments | trees)
def test_no_mapping_ends_in_a_traceback(host, mapping):
    assert ends_well(lambda: from_mapping(mapping, host=host))


@given(
    st.lists(
        st.tuples(st.lists(keys, max_size=4).map(".".join), texts | trees.map(repr)).map("=".join) | texts
    )
)
def test_no_override_ends_in_a_traceback(host, overrides):
    mapping = {"data": "files", "strategy": "cross", "patterns": ["shapes"]}
    assert ends_well(lambda: from_mapping(mapping, overrides, host=host))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


lines = st.tuples(keys, st.sampled_from([": ", ":\n  - ", ":\n  ", ": {use: ", ": ["]), texts).map("".join)


@given(
    st.binary(max_size=100)
    | st.lists(lines, max_size=8).map("\n".join).map(lambda text: text.encode(errors="replace"))
)
def test_no_file_ends_in_a_traceback(host, folder, content):
    path = folder / "any.yaml"
    path.write_bytes(content)
    assert ends_well(lambda: load(path, host=host))
