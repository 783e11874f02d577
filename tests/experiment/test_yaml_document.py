"""The strict YAML reader and its writer."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from windtunnel.errors import ConfigError
from windtunnel.experiment.document import MAX_ALIASES, MAX_BYTES, dump, parse
from windtunnel.experiment.node import MAX_DEPTH, MAX_NODES


def plain(text):
    mistakes = []
    node = parse(text, "f.yaml", mistakes)
    assert mistakes == []
    return node.plain()


def complaints(text):
    mistakes = []
    try:
        parse(text, "f.yaml", mistakes)
    except ConfigError as error:
        mistakes = error.mistakes
    return [str(mistake) for mistake in mistakes]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-7", -7),
        ("+7", 7),
        ("10_000", 10_000),
        ("1_000.5", 1000.5),
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("2.5e+1", 25.0),
        (".5", 0.5),
        ("-.5", -0.5),
        ("5.", 5.0),
        ("0", 0),
        ("true", True),
        ("false", False),
        ("null", None),
        ("~", None),
        ("!!str 10", "10"),
        *(
            (text, text)
            for text in ("NO", "yes", "on", "True", "NULL", "007", "000001", "0x1F", "0o17", "1:30")
        ),
        *(
            (text, text)
            for text in ("2008-09-15", "2008-09-15T14:30:00", "=", "10_", "_1", "1__0", "1e", ".", "<<")
        ),
        *((text, text) for text in ("1.2.3", "e5", ".e5", "inf", "600519.SS", "0700.HK")),
    ],
)
def test_plain_scalars_are_read_as_yaml_1_2_reads_them(text, value):
    read = plain(f"a: {text}")["a"]
    assert read == value
    assert type(read) is type(value)


def test_an_empty_value_is_null():
    assert plain("a:\nb: 1") == {"a": None, "b": 1}


def test_every_key_and_item_knows_its_line():
    node = parse("a: 1\nb:\n  c: {d: 2,\n     e: 3}\n  f:\n    - x\n    - g: y\n", "f.yaml", [])
    lines = {path: item.line for path, item in node.walk()}
    assert lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", "d"): 3,
        ("b", "c", "e"): 4,
        ("b", "f"): 5,
        ("b", "f", 0): 6,
        ("b", "f", 1): 7,
        ("b", "f", 1, "g"): 7,
    }


def test_aliases_are_written_out_where_they_stand():
    assert plain("a: &x {b: 1}\nc: *x") == {"a": {"b": 1}, "c": {"b": 1}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3", "f.yaml:3: a: is given twice (first on line 1)"),
        ("x: {a: 1, a: 2}", "f.yaml:1: x.a: is given twice (first on line 1)"),
        ("a: 1\n2: b", "f.yaml:2: keys must be text (got 2); put it in quotes"),
        ("a:\n  true: b", "f.yaml:2: a: keys must be text (got true); put it in quotes"),
        ("? [a]\n: b", "f.yaml:1: keys must be text (got a list or a mapping)"),
        ("a: !!python/object:os.system x", "f.yaml:1: a: the tag !!python/object:os.system is not allowed"),
        ("a: !env X", "f.yaml:1: a: the tag !env is not allowed"),
        ("a: !!set {x, y}", "f.yaml:1: a: the tag !!set is not allowed"),
        ("a: !!int x", "f.yaml:1: a: the tag !!int is not allowed"),
        ("a: .inf", "f.yaml:1: a: must be a finite number"),
        ("a: -.inf", "f.yaml:1: a: must be a finite number"),
        ("a: .nan", "f.yaml:1: a: must be a finite number"),
        ("a: 1e999", "f.yaml:1: a: must be a finite number"),
        ("a: 9223372036854775808", "f.yaml:1: a: must fit into 64 bits"),
        ('a: "\\ud800"', "f.yaml:1: a: must not contain half of a surrogate pair"),
        ("a: 1\n---\nb: 2", "f.yaml:2: not valid YAML: but found another document"),
        ("a: b: c", "f.yaml:1: not valid YAML: mapping values are not allowed here"),
        ("a: 1\n\tb: 2", "f.yaml:2: not valid YAML: found character '\\t' that cannot start any token"),
        ("a: [1, 2", "f.yaml:1: not valid YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: *nowhere", "f.yaml:1: not valid YAML: found undefined alias 'nowhere'"),
        ("a: &x [*x]", f"f.yaml:1: must not be nested more than {MAX_DEPTH} deep"),
        ('a: "\\UFFFFFFFF"', "f.yaml: not valid YAML: "),
        ("a: 1\nb: \x00", "f.yaml:2: must not contain the character U+0000"),
        (b"a: 1\nb: \xff", "f.yaml:2: must be UTF-8 text (got byte 0xff)"),
        ("", "f.yaml: is empty"),
        ("# nothing\n", "f.yaml: is empty"),
        ("a: " + "[" * 40 + "]" * 40, f"f.yaml:1: must not be nested more than {MAX_DEPTH} deep"),
        ("- x\n" * (MAX_NODES + 1), f"f.yaml:{MAX_NODES}: must not have more than 20,000 values"),
        ("a: &x 1\nb: [" + "*x, " * (MAX_ALIASES + 1) + "]", "f.yaml:2: must not have more than 100 aliases"),
        ("a" * (MAX_BYTES + 1), "f.yaml: must not be larger than 1,000,000 bytes"),
    ],
)
def test_what_is_refused_says_where_and_why(text, message):
    (said,) = complaints(text)
    assert said.startswith(message)
    assert said == message or message.endswith(": ")


def test_several_mistakes_are_told_at_once():
    assert len(complaints("a: 1\na: 2\n3: c\nd: .nan")) == 3


def test_aliases_that_multiply_are_stopped():
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{i}: &l{i} [{', '.join([f'*l{i - 1}'] * 9)}]" for i in range(1, 10)]
    began = time.perf_counter()
    assert complaints("\n".join(lines))[0].endswith("must not have more than 20,000 values")
    assert time.perf_counter() - began < 5


@pytest.mark.parametrize(
    "text", ["[" * 500_000, "{" * 500_000, "- " * 300_000, "? " * 300_000, "a: " * 300_000]
)
def test_deep_nesting_is_refused_early(text):
    began = time.perf_counter()
    assert len(complaints(text)) == 1
    assert time.perf_counter() - began < 5


def test_a_byte_order_mark_and_windows_lines_are_welcome():
    assert plain(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.sampled_from(
    [
        "NO",
        "yes",
        "1e-3",
        "null",
        "",
        "~",
        "10_000",
        "1_0.5",
        ".5",
        "2008-09-15",
        "${X}",
        "a: b",
        "#",
        "0o7",
        "<<",
    ]
)
scalars = st.none() | st.booleans() | st.integers(-(2**63) + 1, 2**63 - 1) | texts
scalars |= st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4)
)


@given(st.dictionaries(texts, values, max_size=5))
def test_what_is_written_is_read_back_to_the_same(data):
    text = dump(data)
    assert plain(text) == data
    assert repr(plain(text)) == repr(data)


@given(st.dictionaries(texts, texts, max_size=5))
def test_readers_of_yaml_1_1_read_the_same_texts(data):
    assert yaml.safe_load(dump(data)) == data


@given(st.binary(max_size=200))
def test_no_bytes_end_in_a_traceback(data):
    complaints(data)


yamlish = st.lists(
    st.sampled_from(
        [*"abc:-?[]{},&*!|>'\"%@`#\\\n\t 01.~=<", "\n  ", "\n- ", ": ", "&a ", "*a", "---\n", "!!int "]
    ),
    max_size=40,
).map("".join)


@given(yamlish | st.text(max_size=60))
def test_no_text_ends_in_a_traceback(data):
    complaints(data)
