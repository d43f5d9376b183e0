"""What may leave: every name is a judgement a person can check against the licence's text."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fgmcaps.pipeline.licences.policy import decide, judge

ALLOWED = [
    "CC0",
    "CC0-1.0",
    "CC0 1.0 Universal",
    "Public Domain",
    "public-domain",
    "PDM",
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "http://creativecommons.org/publicdomain/mark/1.0/",
    "CC-BY-4.0",
    "cc by 3.0",
    "CC BY-SA 4.0",
    "CC-BY-NC-4.0",
    "CC BY-NC-SA 3.0 US",
    "CC-BY-SA-2.5",
    "Creative Commons Attribution 4.0 International",
    "Attribution-NonCommercial-ShareAlike 3.0 International",
    "Attribution-ShareAlike",
    "Creative Commons Attribution-NonCommercial 3.0 Unported License",
    "http://creativecommons.org/licenses/by-nc-sa/3.0/",
    "https://creativecommons.org/licenses/by/4.0/legalcode",
    "MIT",
    "The MIT License",
    "Apache-2.0",
    "BSD-3-Clause",
    "Free Art License",
    "Attribution-Noncommercial-Share Alike 3.0 United States",
    "Attribution-NonCommercial-ShareAlike (aka Music Sharing) 3.0 International",
    "CC-BY-4.0 OR GPL-2.0",
    "MIT AND CC0-1.0",
    "(CC-BY-ND-4.0 OR MIT) AND CC0-1.0",
    "(CC-BY-4.0)OR(GPL-2.0)",
]
FORBIDDEN = [
    "CC-BY-ND-4.0",
    "CC BY-NC-ND 3.0",
    "http://creativecommons.org/licenses/by-nc-nd/3.0/",
    "Attribution-NoDerivatives 4.0",
    "Attribution-Noncommercial-No Derivative Works 3.0 United States",
    "Attribution-NonCommercial-NoDerivatives (aka Music Sharing) 3.0 International",
    "GPL-2.0",
    "GPLv3",
    "GPL-3.0-or-later",
    "AGPL-3.0-only",
    "MIT AND CC-BY-ND-4.0",
    "CC-BY-ND-4.0 OR GPL-2.0",
    "(MIT OR GPL-2.0) AND CC-BY-ND-4.0",
    "CC-BY-ND-4.0 AND (MIT OR CC-BY-4.0)",
    "All rights reserved AND CC-BY-ND-4.0",
    "CC-BY-ND-4.0 AND ask me",
    "(CC-BY-ND-4.0 OR MIT",
]
RESERVED = [
    "All rights reserved",
    "All rights reserved OR CC-BY-ND-4.0",
    "all-rights-reserved",
    "Copyright",
    "(C)",
    "proprietary",
    "Royalty-free",
]
UNKNOWN = [
    None,
    "",
    "   ",
    "unknown",
    "see website",
    "by",
    "CC",
    "Sampling+",
    "CC Sampling Plus 1.0",
    "CC-BY-XX-4.0",
    "http://creativecommons.org/licenses/sampling+/1.0/",
    "https://example.org/creativecommons.org/licenses/by/4.0/",
    "free for personal use",
    "MIT OR ask me",
    "MIT WITH ask-me",
    "MIT AND",
    "AND",
    "(MIT AND) OR",
    "not public domain",
    "No CC0",
    "CC-BY-4.0 except for the guitar",
    "CC-BY " * 60,
]


@pytest.mark.parametrize("licence", ALLOWED)
def test_allowed(licence):
    assert judge(licence).kind == "allowed"


@pytest.mark.parametrize("licence", FORBIDDEN)
def test_known_to_forbid(licence):
    assert judge(licence).kind == "forbidden"


@pytest.mark.parametrize("licence", FORBIDDEN)
def test_a_licence_known_to_forbid_is_not_overridden(licence):
    assert not decide(licence, "CC-BY-4.0").allowed


@pytest.mark.parametrize("licence", RESERVED)
def test_all_rights_reserved(licence):
    assert judge(licence).kind == "reserved"


@pytest.mark.parametrize("licence", UNKNOWN)
def test_what_the_table_does_not_know_stays(licence):
    assert judge(licence).kind == "unknown"


@pytest.mark.parametrize("licence", [*RESERVED, None, "see website"])
def test_the_owner_may_grant_what_nobody_else_forbids(licence):
    assert not decide(licence).allowed
    verdict = decide(licence, "own work")
    assert verdict.allowed
    assert "own work" in verdict.reason


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
    st.sampled_from(["upper", "lower", "title"]),
)
def test_case_does_not_matter(licence, how):
    assert judge(getattr(licence, how)()).allowed
