"""What may leave: every name is a judgement a person can check against the licence's text."""

import re
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fgmcaps.pipeline.licences.policy import decide, judge

SPELLINGS = [
    tuple(line.split("\t"))
    for line in (Path(__file__).parent / "spellings.tsv").read_text("utf-8").splitlines()
    if not line.startswith("#")
]
ALLOWED = [text for kind, _, text in SPELLINGS if kind == "allowed"]
EXPRESSIONS = [
    ("CC-BY-4.0 OR GPL-2.0", "allowed"),
    ("MIT AND CC0-1.0", "allowed"),
    ("(CC-BY-ND-4.0 OR MIT) AND CC0-1.0", "allowed"),
    ("(CC-BY-4.0)OR(GPL-2.0)", "allowed"),
    ("MIT AND CC-BY-ND-4.0", "forbidden"),
    ("CC-BY-ND-4.0 OR GPL-2.0", "forbidden"),
    ("(MIT OR GPL-2.0) AND CC-BY-ND-4.0", "forbidden"),
    ("CC-BY-ND-4.0 AND (MIT OR CC-BY-4.0)", "forbidden"),
    ("All rights reserved AND CC-BY-ND-4.0", "forbidden"),
    ("CC-BY-ND-4.0 AND ask me", "forbidden"),
    ("(CC-BY-ND-4.0 OR MIT", "forbidden"),
    ("All rights reserved OR CC-BY-ND-4.0", "reserved"),
    ("MIT WITH ask-me", "restricted"),
    ("MIT AND", "unknown"),
    ("AND", "unknown"),
    ("(MIT AND) OR", "unknown"),
    ("CC-BY " * 60, "unknown"),
    ("CC-BY " * 60 + "no remixes", "restricted"),
    (None, "unknown"),
    ("   ", "unknown"),
]


@pytest.mark.parametrize(("kind", "where", "text"), SPELLINGS)
def test_spellings_as_people_write_them(kind, where, text):
    assert judge(text).kind == kind


def test_the_table_of_spellings_is_large_and_names_each_once():
    assert len({text for _, _, text in SPELLINGS}) == len(SPELLINGS) >= 200


@pytest.mark.parametrize(("text", "kind"), EXPRESSIONS)
def test_expressions_and_odd_texts(text, kind):
    assert judge(text).kind == kind


@pytest.mark.parametrize(("kind", "where", "text"), [s for s in SPELLINGS if s[0] in ("forbidden", "restricted")])
def test_nobody_assumes_a_restriction_away(kind, where, text):
    assert not decide(text, "CC-BY-4.0").allowed


@pytest.mark.parametrize("licence", [None, *(text for kind, _, text in SPELLINGS if kind in ("reserved", "unknown"))])
def test_the_owner_may_grant_what_nobody_else_forbids(licence):
    assert not decide(licence).allowed
    verdict = decide(licence, "own work")
    assert verdict.allowed and "own work" in verdict.reason


_ND = [
    "ND",
    "nd",
    "No Derivatives",
    "no-derivs",
    "NoDerivs",
    "no derivative works",
    "n\u2011o\u2011derivatives",
    "no remix",
]
_BETWEEN = [" ", "-", "\u2011", "\u2013", ".", "_", ", ", " (", "/"]


@given(st.sampled_from(ALLOWED), st.sampled_from(_ND), st.sampled_from(_BETWEEN))
def test_no_derivatives_after_any_name_are_never_lost(licence, restriction, between):
    text = f"{licence}{between}{restriction}"
    assert not judge(text).allowed or " OR " in text
    assert not decide(text, "CC-BY-4.0").allowed or " OR " in text


@given(
    st.sampled_from(ALLOWED),
    st.sampled_from(["no remixes", "personal use only", "not in films", "only with permission"]),
)
def test_a_restriction_after_any_name_holds_it_back(licence, restriction):
    assert not decide(f"{licence}, {restriction}", "CC-BY-4.0").allowed or " OR " in licence


@given(st.permutations(["CC", "BY", "NC", "ND"]), st.lists(st.sampled_from(_BETWEEN[:6]), min_size=3, max_size=3))
def test_elements_in_any_order_with_any_dashes(elements, dashes):
    text = "".join(x for pair in zip(elements, [*dashes, ""], strict=True) for x in pair)
    assert judge(text).kind == "forbidden"


@given(st.text(max_size=300))
def test_no_text_breaks_the_table_and_nothing_with_nd_passes(text):
    judge(text)
    assert not judge(f"CC-BY-ND {text.strip()}").allowed or " OR " in text


_TOKENS = st.sampled_from(["AND", "OR", "WITH", "or", "(", ")", "()", "MIT", "ask me", "©", ":", "GPL-2.0+"])


@example([], ["AND", "()"])
@given(st.lists(_TOKENS, max_size=12), st.lists(_TOKENS, max_size=12))
def test_no_expression_breaks_it_and_nd_passes_only_beside_a_choice(before, after):
    text = " ".join([*before, "CC-BY-ND-4.0", *after])
    assert not judge(text).allowed or " OR " in text.upper()


@given(
    st.sampled_from([name for name in ALLOWED if not re.search("AND|OR", name)]),
    st.sampled_from(["upper", "lower"]),
)
def test_case_does_not_matter(licence, how):
    assert judge(getattr(licence, how)()).allowed
