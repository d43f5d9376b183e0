"""The template engine: every text passes the checker, whatever the facts; the same input gives the same text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgmcaps.captioning import TEMPLATE_VERSION, CaptionBugError, TemplateEngine, check_caption, write_caption
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.schemas import Facts
from fgmcaps.schemas.harte import QUALITIES
from fgmcaps.schemas.meter import TIME_SIGNATURES
from fgmcaps.schemas.music import KEYS, tempo_marking

FACTS = Facts(120, "Allegro", "4/4", "A minor", ("A:min", "F:maj", "C:maj", "G:maj"), ("pop",), ("happy",))
GOLDEN = {
    "objective": "A pop excerpt with a happy mood that is played at 120 beats per minute (Allegro), is in "
    "4/4, has A minor as its key, and follows the chord progression A minor, F major, C major and G major.",
    "short": "Happy pop piece in A minor, Allegro 120 BPM, chords Am–F–C–G, 4/4.",
    "keywords": "pop, happy, chords Am–F–C–G, Allegro 120 BPM, 4/4, key of A minor",
    "casual": "i want a happy pop tune, at 120 bpm, in the key of A minor, in 4/4, chords Am F C G",
}
NOTES = st.sampled_from(["C", "C#", "Db", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B", "Cb", "E#"])
BASSES = st.sampled_from(["", "/3", "/5", "/b7"])
ODD_LABELS = st.sampled_from(["N", "X", "C", "C:maj(9)", "A:sus4(b7)", "G:7(b9,b13)"])
LABELS = ODD_LABELS | st.builds(lambda n, q, b: f"{n}:{q}{b}", NOTES, st.sampled_from(sorted(QUALITIES)), BASSES)
COMMON_TERMS = ("pop", "R&B", "Drum & Bass", "80s", "singersongwriter", "Pop/Rock", "mood/theme---happy", "грусть")
ODD_TERMS = ("4/4", "A minor", "Presto", "key", "minor", "beats", "music", 'so called "new" wave', "", "---", "the")
TERMS = st.sampled_from(COMMON_TERMS + ODD_TERMS) | st.text(max_size=30)


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    bpm = draw(st.none() | st.integers(1, 400))
    return Facts(
        bpm,
        None if bpm is None else tempo_marking(bpm),
        draw(st.none() | st.sampled_from(TIME_SIGNATURES)),
        draw(st.none() | st.sampled_from(KEYS)),
        tuple(draw(st.lists(LABELS, max_size=12))),
        tuple(draw(st.lists(TERMS, max_size=3))),
        tuple(draw(st.lists(TERMS, max_size=3))),
    )


@settings(max_examples=150, deadline=None)
@given(any_facts(), st.sampled_from(STYLES), st.integers(0, 3))
def test_every_text_passes_the_checker(facts: Facts, style: str, seed: int) -> None:
    text = TemplateEngine(seed).write("clip", facts, style)
    assert check_caption(text, facts, style).ok, (text, check_caption(text, facts, style))


def test_golden_texts_do_not_change() -> None:
    """The text is a function of its input: a change here changes every dataset, and needs a new TEMPLATE_VERSION."""
    engine = TemplateEngine(seed=0)
    assert TEMPLATE_VERSION == "template.v1"
    assert {style: engine.write("0123456789abcdef-00010000", FACTS, style) for style in STYLES} == GOLDEN


def test_choices_depend_on_clip_and_seed() -> None:
    texts = {TemplateEngine(s).write(f"clip-{i}", FACTS) for s in range(3) for i in range(40)}
    assert len(texts) > 100


def test_empty_facts_state_nothing() -> None:
    for facts in (Facts(), Facts(chords=("N", "X")), Facts(genre=("  ", "4/4"))):
        assert TemplateEngine().write("clip", facts) == "A clip of music."


def test_write_caption_carries_provenance_and_styles() -> None:
    caption = write_caption(TemplateEngine(), "clip", FACTS, ("objective", "casual", "keywords"))
    assert (caption.style, caption.source, caption.model) == ("objective", "template", "")
    assert caption.prompt_version == TEMPLATE_VERSION
    assert [extra.style for extra in caption.extra] == ["casual", "keywords"]
    with pytest.raises(ValueError, match="no caption style"):
        write_caption(TemplateEngine(), "clip", FACTS, ())


def test_a_wrong_engine_is_caught() -> None:
    class Liar:
        def write(self, clip_id: str, facts: Facts, style: str = "objective") -> str:
            return TemplateEngine().write(clip_id, Facts(key="C major"), style)

    with pytest.raises(CaptionBugError, match=r"clip x, style objective.*contradiction"):
        write_caption(Liar(), "x", FACTS)
