"""Whatever text comes in, the checker answers, in bounded time, and what it passes states the facts."""

import random
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.captioning import TemplateEngine, check_caption, check_lines, parse_caption
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.schemas import Facts

FACTS = Facts(120, "Allegro", "4/4", "A minor", ("A:min", "F:maj", "C:maj/3"), ("pop",), ("happy",))
PIECES = (
    *(
        "A minor",
        "a",
        "A",
        "C",
        "am",
        "C/E",
        "120 BPM",
        "one hundred and",
        "twenty",
        "4/4",
        "three-four time",
        "Allegro",
    ),
    *(
        "pop",
        "happy",
        "track",
        "in",
        "with the chords",
        ",",
        ".",
        "and",
        "–",
        "(",
        ")",
        "over",
        "B flat",
        "key of",
        "b",
        "-",
    ),
)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.lists(st.sampled_from(PIECES), max_size=40).map(" ".join), st.sampled_from(STYLES))
def test_any_text_gets_a_verdict(text: str, style: str) -> None:
    verdict = check_caption(text, FACTS, style)
    assert verdict.ok == (verdict.rule == "")
    parsed = parse_caption(text, ("pop",))
    for mention in (*parsed.tempi, *parsed.meters, *parsed.pitches, *parsed.numbers, *parsed.words, *parsed.marks):
        assert text[mention.start : mention.end] == mention.text


def test_time_is_bounded() -> None:
    """Long and repetitive text (the longest that passes the length rule) is judged in milliseconds, not minutes."""
    for piece in (
        *PIECES,
        " ",
        "and to ",
        "C, ",
        "a ",
        "( ",
        "one ",
        "the chord of ",
        "A minor, then ",
        "in in ",
        "12/",
    ):
        text = (piece * 500)[:499] + "."
        start = time.perf_counter()
        check_caption(text, FACTS)
        parse_caption(text)  # the form rules stop most of these before they are parsed
        assert time.perf_counter() - start < 1.0, piece


@settings(max_examples=200)
@given(st.text())
def test_any_line_gets_an_answer(line: str) -> None:
    for answer in check_lines([line]):
        assert {"line", "ok", "rule", "words"} <= set(answer)


def test_a_changed_fact_never_passes() -> None:
    """Every caption of the template is refused for facts that differ in one value."""
    rng = random.Random(4)
    others = [
        Facts(121, "Allegro", "4/4", "A minor", FACTS.chords, ("pop",), ("happy",)),
        Facts(120, "Presto", "4/4", "A minor", FACTS.chords, ("pop",), ("happy",)),
        Facts(120, "Allegro", "3/4", "A minor", FACTS.chords, ("pop",), ("happy",)),
        Facts(120, "Allegro", "4/4", "A major", FACTS.chords, ("pop",), ("happy",)),
        Facts(120, "Allegro", "4/4", "A minor", ("A:min", "F:maj", "C:maj"), ("pop",), ("happy",)),
        Facts(120, "Allegro", "4/4", "A minor", ("F:maj", "A:min", "C:maj/3"), ("pop",), ("happy",)),
        Facts(120, "Allegro", "4/4", "A minor", FACTS.chords, ("rock",), ("happy",)),
        Facts(120, "Allegro", "4/4", "A minor", FACTS.chords, ("pop",), ("sad",)),
        Facts(120, "Allegro", "4/4", "A minor", FACTS.chords, (), ("happy",)),
        Facts(120, "Allegro", None, "A minor", FACTS.chords, ("pop",), ("happy",)),
    ]
    for _ in range(40):
        text = TemplateEngine().write(str(rng.random()), FACTS)
        assert check_caption(text, FACTS).ok
        assert not any(check_caption(text, other).ok for other in others), text
