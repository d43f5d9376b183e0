"""What differs between settings, and digests that do not depend on the order of keys."""

import hashlib
from types import MappingProxyType

from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.common.differences import differences
from fgmcaps.common.fingerprints import fingerprint, sha256_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


def test_nested_names_are_dotted_and_values_are_json():
    before = {"seed": 0, "llm": {"model": "a", "top_p": 0.8}, "splits": [0.9, 0.1]}
    now = {"seed": 1, "llm": {"model": "b", "top_p": 0.8}, "new": True, "splits": (0.9, 0.1)}
    assert differences(before, now) == ['llm.model: "a" -> "b"', "new: null -> true", "seed: 0 -> 1"]
    assert differences(before, now, ignore=("seed", "new")) == ['llm.model: "a" -> "b"']


def test_an_empty_table_is_a_value():
    assert differences({"llm": {}}, {"llm": {"model": "a"}}) == ["llm: {} -> null", 'llm.model: null -> "a"']


@given(JSON)
def test_nothing_differs_from_itself(value):
    assert differences({"x": value}, MappingProxyType({"x": value})) == []


@given(st.dictionaries(st.sampled_from("abcd"), JSON, min_size=1))
def test_a_fingerprint_depends_on_values_not_on_their_order(parts):
    backwards = dict(reversed(parts.items()))
    assert fingerprint(**parts) == fingerprint(**backwards)
    name = next(iter(parts))
    assert fingerprint(**parts) != fingerprint(**{**parts, name: [parts[name]]})


def test_the_digest_of_a_file(tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"x" * 3_000_000).hexdigest()
