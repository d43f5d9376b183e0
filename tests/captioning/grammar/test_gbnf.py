"""Grammars of captions: what they allow is what the checker accepts, and nothing that misses or adds a fact."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.captioning import check_caption
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.captioning.grammar.gbnf import alternatives, caption_grammar, literal
from fgmcaps.captioning.grammar.pattern import caption_pattern
from fgmcaps.captioning.lexicon.word_lists import connecting_words, judges, neutral_words
from fgmcaps.captioning.spellings.stated import ATTRIBUTES, stated_facts
from fgmcaps.schemas import Facts
from tests.captioning.engines.test_template import any_facts
from tests.captioning.grammar.gbnf_reader import draw, matches, read_grammar

FACTS = Facts(120, "Allegro", "4/4", "A minor", ("A:min", "F:maj", "C:maj", "G:maj"), ("pop",), ("happy",))
# What a salad of connecting words may be refused for; a fact that is missing, wrong or added is none of it.
FORM = {"form.repetition", "form.sentence", "form.length", "addition.number", "form.case"}


def grammar(facts: Facts, style: str = "objective"):  # type: ignore[no-untyped-def]
    return read_grammar(caption_grammar(stated_facts(facts, style), style))


@given(any_facts(), st.sampled_from(STYLES), st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_any_text_of_the_grammar_states_the_facts_and_nothing_else(facts: Facts, style: str, seed: int) -> None:
    if not stated_facts(facts, style):
        return
    text = draw(grammar(facts, style), random.Random(seed))
    verdict = check_caption(text, facts, style)
    assert verdict.ok or verdict.rule in FORM, (text, verdict)


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("This happy pop track is in A minor, with a tempo of 120 BPM.", False),
        ("A happy pop song in A minor and 4/4 at an Allegro tempo of 120 BPM, with the chords Am, F, C, and G.", True),
        ("In A minor, this happy pop piece is in 4/4 at 120 BPM (Allegro). It follows the chords Am, F, C, G.", True),
        ("A happy pop song in A minor and 4/4 at an Allegro tempo of 121 BPM, with the chords Am, F, C, and G.", False),
        ("A happy pop song in A minor and 4/4 at an Allegro tempo of 120 BPM, with the chords Am, C, F, and G.", False),
        ("A happy pop song in A minor and 4/4 at 120 BPM (Allegro), with happy chords Am, F, C, and G.", False),
        ("A happy pop song in A minor and 4/4 at an Allegro tempo of 120 BPM, with soaring chords Am, F, C, G.", False),
    ],
)  # fmt: skip
def test_captions_that_a_person_wrote(text: str, allowed: bool) -> None:
    assert matches(grammar(FACTS), text) is allowed


def test_only_the_spellings_differ_between_clips_of_one_pattern() -> None:
    first = caption_grammar(stated_facts(FACTS, "objective"), "objective")
    second = caption_grammar(
        stated_facts(Facts(90, "Andante", "3/4", "C major", ("C:maj", "G:7"), ("folk",), ("sad",)), "objective"),
        "objective",
    )
    differ = [(a, b) for a, b in zip(first.split("\n"), second.split("\n"), strict=True) if a != b]
    assert all(re.match(r"[fF]\d ::= ", a) and re.match(r"[fF]\d ::= ", b) for a, b in differ)
    assert len(differ) == 2 * 6


@pytest.mark.parametrize("style", STYLES)
def test_connecting_words_are_neutral_and_name_no_attribute_that_is_not_stated(style: str) -> None:
    words = set(connecting_words(style, frozenset(ATTRIBUTES)))
    assert words <= neutral_words(style)
    assert not any(judges(w, "") for w in words)
    bare = set(connecting_words(style, frozenset()))
    assert not bare & {"tempo", "meter", "tonality", "harmony", "genre", "mood"}
    assert "tempo" in words


def test_nothing_to_say_is_nothing_to_hold() -> None:
    with pytest.raises(ValueError, match="no fact"):
        caption_grammar((), "objective")


def test_signs_in_terms_cannot_break_out_of_the_grammar() -> None:
    assert literal('a"b\\c') == r'"a\"b\\c"'
    rules = read_grammar("root ::= " + alternatives(['say "hi"', "say \\n", "say", "so"]))
    assert all(matches(rules, text) for text in ('say "hi"', "say \\n", "say", "so"))
    assert not matches(rules, "s")


@given(any_facts(), st.sampled_from(STYLES))
@settings(max_examples=60, deadline=None)
def test_patterns_compile_and_hold_every_fact(facts: Facts, style: str) -> None:
    stated = stated_facts(facts, style)
    if not stated:
        return
    pattern = caption_pattern(stated, style)
    assert pattern == caption_pattern(stated, style)
    compiled = re.compile(pattern)
    assert not compiled.match("This is a piece of music.")
