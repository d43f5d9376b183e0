"""YAML within bounds: a bomb, a knot, a doubled key and deep nesting are errors of one line; the rest reads as ever."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.yaml_text import MAX_BYTES, MAX_DEPTH, MAX_VALUES, YamlError, load_yaml, read_yaml

NESTED = "\n".join(
    ["a0: &a0 [lol]"] + [f"a{i + 1}: &a{i + 1} [{', '.join([f'*a{i}'] * 9)}]" for i in range(9)]
)  # 500 bytes, a billion values
CHAIN = "\n".join(["b0: &b0 [x]"] + [f"b{i + 1}: &b{i + 1} [*b{i}]" for i in range(100)])
MERGES = "\n".join(["c0: &c0 {k: 1}"] + [f"c{i + 1}: &c{i + 1} {{x: [*c{i}, *c{i}, *c{i}, *c{i}]}}" for i in range(12)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (NESTED, "aliases"),
        (CHAIN, "aliases"),
        (MERGES, "aliases"),
        ("a: &a [*a]", "line 1: holds itself"),
        ("a: &a {b: *a}", "line 1: holds itself"),
        ("a: 1\nb: 2\na: 3", "the key 'a' is there twice"),
        ("[" * 5000, "nested deeper"),
        ("{a: " * 5000, "nested deeper"),
        ("a: [" + "1," * (MAX_VALUES + 10) + "]", "values"),
        ("x" * (MAX_BYTES + 1), "longer than"),
        ("a: !!python/object/apply:os.getcwd []", "line 1: "),
        ("a: 2020-13-45", "month"),
        ("a: " + "9" * 5000, "digits"),
        ("a: [", "line 1: "),
        ("a: *b", "undefined alias 'b'"),
        ("a\x00b", "not allowed"),
        ("a: 1\n---\nb: 2", "another document"),
        ("[1]: 2\n? {a: b}\n: c", "line "),
    ],
)
def test_what_is_refused_is_named_in_one_line(text: str, message: str) -> None:
    with pytest.raises(YamlError, match=message) as caught:
        load_yaml(text)
    assert "\n" not in str(caught.value)


def test_aliases_within_bounds_are_read() -> None:
    text = "base: &b {x: 1}\none: *b\ntwo: {<<: *b, y: 2}\nthree: [*b, *b]"
    assert load_yaml(text) == {"base": {"x": 1}, "one": {"x": 1}, "two": {"x": 1, "y": 2}, "three": [{"x": 1}] * 2}
    assert load_yaml("") is None and load_yaml("# nothing") is None
    assert load_yaml("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(_VALUES)
def test_plain_values_are_what_the_library_reads(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=False)
    try:
        assert load_yaml(text) == yaml.safe_load(text)
    except YamlError as error:
        assert "nested deeper" in str(error)


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        load_yaml(text)
    except YamlError as error:
        assert "\n" not in str(error)


def test_files(tmp_path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("\ufeffseed: 3\n".encode())
    assert read_yaml(path) == {"seed": 3}
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(YamlError, match="larger"):
        read_yaml(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="decode"):
        read_yaml(path)
