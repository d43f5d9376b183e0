"""The row rules against any row that the Arrow types allow: they report, they never fall over."""

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fgmcaps.pipeline.validation.row_rules import RULES, row_problems
from fgmcaps.schemas.arrow import COLUMNS
from tests.factories import make_row

GOOD = [make_row(number, audio="none") for number in range(8)]
TEXT = st.text(max_size=20) | st.sampled_from(
    ["", "C:maj", "4/4", "0/0", "a:b", "llm", "key", "{", "[]", "null", "tempo"]
)


def values(kind):
    """Any value of an Arrow type, null too."""
    if pa.types.is_list(kind):
        inner = st.lists(values(kind.value_type), max_size=4)
    elif pa.types.is_struct(kind):
        inner = st.fixed_dictionaries({field.name: values(field.type) for field in kind})
    elif pa.types.is_floating(kind):
        inner = st.floats() | st.floats(0, 10)
    elif pa.types.is_integer(kind):
        inner = st.integers(-(2**31), 2**31 - 1)
    else:
        inner = TEXT
    return st.none() | inner


CHANGES = st.lists(
    st.sampled_from([column for column in COLUMNS if column.name != "audio"]).flatmap(
        lambda column: st.tuples(st.just(column.name), values(column.type))
    ),
    max_size=4,
)


@pytest.mark.slow
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(GOOD), CHANGES)
def test_any_row_gets_a_verdict(row, changes):
    names = {name for name, _ in RULES}
    for rule, message in row_problems({**row, **dict(changes)}):
        assert rule in names
        assert message


def test_good_rows_have_no_problem():
    assert [list(row_problems(row)) for row in GOOD] == [[]] * len(GOOD)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"source_path": "/home/ann/a.wav"}, "path"),
        ({"source_path": "../a.wav"}, "path"),
        ({"source_path": "a/../../b.wav"}, "path"),
        ({"source_path": "C:\\music\\a.wav"}, "path"),
        ({"source_path": "a\0.wav"}, "path"),
        ({"source_path": "a\x1b[2J.wav"}, "path"),
        ({"title": "a\x1b]0;x\x07"}, "text"),
        ({"artist": "two\nlines"}, "text"),
        ({"genre": ["rock", "po\x08p"]}, "text"),
        ({"mood": ["calm\r"]}, "text"),
        ({"album": "\x9b31m"}, "text"),
        ({"licence": "CC0\0"}, "text"),
        ({"source": "\t"}, "text"),
        ({"id": "../../x"}, "id"),
        ({"id": "/abs"}, "id"),
    ],
)
def test_paths_and_texts_that_reach_further_than_a_row(change, rule):
    assert rule in {found for found, _ in row_problems({**GOOD[0], **change})}
