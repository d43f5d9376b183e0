"""A caption that names the right value and changes it is refused; the same words in their harmless senses pass."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fgmcaps.captioning import TemplateEngine, check_caption, parse_caption
from fgmcaps.captioning.checker.alterations import find_alterations
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.schemas import Facts
from fgmcaps.schemas.music import tempo_marking

FACTS = Facts(120, "Allegro", "4/4", "C major", ("C:maj", "G:maj", "A:min", "F:maj"), ("pop",), ("happy",))
PLAIN = {"key": "in C major", "meter": "in 4/4", "tempo": "at 120 BPM", "chords": "with the chords C, G, Am and F"}


def caption(**changed: str) -> str:
    said = {**PLAIN, **changed}
    return f"A happy pop track {said['key']}, {said['meter']}, {said['tempo']} (Allegro), {said['chords']}."


def test_the_plain_caption_passes() -> None:
    assert check_caption(caption(), FACTS).ok


@pytest.mark.parametrize(
    ("slot", "wording", "rule"),
    [
        ("tempo", "at over 120 BPM", "alteration.comparison"),
        ("tempo", "at nearly 120 BPM", "addition.word"),
        ("tempo", "at 120.5 BPM", "contradiction.tempo"),
        ("tempo", "at 119.9 BPM", "contradiction.tempo"),
        ("tempo", "around 120 BPM", "alteration.hedge"),
        ("tempo", "at 120 BPM or so", "alteration.alternative"),
        ("tempo", "at up to 120 BPM", "alteration.comparison"),
        ("tempo", "at some 120 BPM", "addition.word"),
        ("tempo", "at -120 BPM", "alteration.comparison"),
        ("tempo", "from 120 BPM", "alteration.place"),
        ("tempo", "ending at 120 BPM", "alteration.place"),
        ("key", "in C major or A minor", "contradiction.chords"),
        ("key", "mostly in C major", "addition.word"),
        ("key", "ending in C major", "missing.key"),
        ("key", "towards C major", "missing.key"),
        ("meter", "in 4/4 or 2/4", "contradiction.meter"),
        ("meter", "at first in 4/4", "alteration.place"),
        ("meter", "with over four beats per bar", "alteration.comparison"),
        ("meter", "in 4/4 in places", "alteration.part"),
        ("chords", "with the chords C or G or Am or F", "alteration.alternative"),
        ("chords", "ending on the chords C, G, Am and F", "alteration.place"),
        ("chords", "starting on C, G, Am and F", "alteration.place"),
        ("chords", "with the final chords C, G, Am and F", "alteration.place"),
        ("chords", "with the chords C, G, Am, F and others", "addition.word"),
        ("chords", "with the chords C, G, Am, F and more", "alteration.part"),
        ("chords", "with C as the last chord, G, Am and F", "contradiction.chords"),
        ("chords", "with all but the chords C, G, Am and F", "alteration.negation"),
        ("chords", "with C following G, Am and F", "alteration.order"),
    ],
)
def test_an_altered_fact_is_refused(slot: str, wording: str, rule: str) -> None:
    verdict = check_caption(caption(**{slot: wording}), FACTS)
    assert not verdict.ok
    # A word may be of two kinds ("more" compares, and speaks of a part): which one is named does not matter.
    assert verdict.rule == rule or {verdict.rule.split(".")[0], rule.split(".")[0]} == {"alteration"}, verdict


@pytest.mark.parametrize(
    "wording",
    [
        "over the chords C, G, Am and F",
        "built around C, G, Am and F",
        "with the chords C, G, Am, and finally F",
        "that starts on C, moves to G and Am, and ends on F",
        "with C as the first chord, then G, Am, and F",
        "whose chords are C, G, Am and F in this order",
        "with C, G, and Am before F",
        "with the chords C, G, Am and F that follow one another",
    ],
)
def test_harmless_senses_pass(wording: str) -> None:
    verdict = check_caption(caption(chords=wording), FACTS)
    assert verdict.ok, verdict


def test_a_query_may_say_around_a_tempo_and_prose_may_not() -> None:
    facts = Facts(tempo_bpm=120, genre=("pop",))
    assert check_caption("a pop song around 120 bpm", facts, "casual").ok
    assert not check_caption("a pop song around 120 bpm", facts, "short").ok
    assert not check_caption("a pop song at over 120 bpm", facts, "casual").ok


def test_follows_tells_the_order_backwards() -> None:
    assert not check_caption("A clip in which C follows G.", Facts(chords=("C:maj", "G:maj"))).ok
    assert check_caption("A clip in which C is followed by G.", Facts(chords=("C:maj", "G:maj"))).ok


def test_the_words_of_the_caption_are_named() -> None:
    found = list(find_alterations(parse_caption("A clip at over 120 BPM in 4/4 or so."), "objective"))
    assert {(a.kind, a.text) for a in found} >= {("comparison", "over"), ("alternative", "or"), ("part", "so")}


_CHORDS = st.lists(st.sampled_from(("C:maj", "G:7", "A:min", "F:maj7", "D:min7", "E:min/b3", "Bb:sus4")), max_size=6)


@given(
    st.none() | st.integers(20, 400),
    st.none() | st.sampled_from(("2/4", "3/4", "4/4", "5/4", "6/8", "7/8", "12/8")),
    st.none() | st.sampled_from(("C major", "F# minor", "Bb major", "A minor")),
    _CHORDS.map(lambda c: tuple(x for i, x in enumerate(c) if i == 0 or c[i - 1] != x)),
    st.lists(st.sampled_from(("pop", "other", "drum and bass", "over", "soul")), max_size=2, unique=True),
    st.integers(0, 10_000),
)
def test_no_template_is_altered(
    bpm: int | None, meter: str | None, key: str | None, chords: tuple[str, ...], genre: list[str], clip: int
) -> None:
    facts = Facts(bpm, None if bpm is None else tempo_marking(bpm), meter, key, chords, tuple(genre))
    for style in STYLES:
        text = TemplateEngine(seed=clip).write(str(clip), facts, style)
        verdict = check_caption(text, facts, style)
        assert verdict.ok, (text, verdict)
