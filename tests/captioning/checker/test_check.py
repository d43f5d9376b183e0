"""The checker: right captions in free prose pass, and one fault of each kind is refused under its own rule."""

import pytest

from fgmcaps.captioning import check_caption, find_judgements, parse_caption
from fgmcaps.schemas import Facts

FACTS = Facts(120, "Allegro", "4/4", "A minor", ("A:min", "F:maj", "C:maj", "G:maj"), ("pop",), ("happy",))
RIGHT = "A happy pop track in A minor, in 4/4 at 120 BPM (Allegro), with the chords Am, F, C, and G."


@pytest.mark.parametrize(
    "text",
    [
        RIGHT,
        "A happy pop track in A minor over Am, F, C, and G, at 120 BPM (Allegro) in 4/4.",
        "The chord progression of this happy pop piece in A minor is Am–F–C–G, played at an Allegro 120 BPM in 4/4.",
        "At one hundred and twenty beats per minute, Allegro, this happy pop song in A minor has four beats per bar "
        "and moves from A minor to F major, C major and G major.",
        "The tempo is Allegro, 120 beats per minute, and the meter is 4/4 in this happy pop track, whose key is A "
        "minor and whose chords are Am, F, C, and G.",
        "A happy pop track at a steady Allegro tempo of 120 BPM in common time, starting on Am in the chords Am, F, C, "
        "G, in A minor.",
        "A ten-second excerpt of happy pop music in A minor, 4/4, at 120 BPM (Allegro), with the four-chord "
        "progression Am, F, C, G.",
        "An Allegro pop track in A minor and 4/4 with a tempo of 120 BPM, a happy mood, and an Am-F-C-G chord loop.",
    ],
)  # fmt: skip
def test_right_captions_pass(text: str) -> None:
    assert check_caption(text, FACTS).ok


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("A minor", "A major", "contradiction.key"),
        ("A minor", "F minor", "contradiction.key"),
        ("in A minor, in 4/4", "in 4/4", "missing.key"),
        ("in A minor", "in a minor key", "missing.key"),
        ("4/4", "3/4", "contradiction.meter"),
        ("4/4", "4/4 with three beats per bar", "contradiction.meter"),
        ("in 4/4 ", "", "missing.meter"),
        ("120", "121", "contradiction.tempo"),
        ("120 BPM", "one hundred and thirty BPM", "contradiction.tempo"),
        ("at 120 BPM (Allegro)", "at an Allegro tempo", "missing.tempo"),
        (" (Allegro)", "", "missing.marking"),
        ("Allegro", "Presto", "contradiction.marking"),
        ("Am, F, C, and G", "F, Am, C, and G", "contradiction.chords"),
        ("Am, F, C, and G", "Am, F, and G", "missing.chords"),
        ("Am, F, C, and G", "Am, F, C, and G7", "contradiction.chords"),
        ("Am, F, C, and G", "Am, F/A, C, and G", "contradiction.chords"),
        ("Am, F, C, and G", "Am, F, C, G, and back to Am", "contradiction.chords"),
        ("the chords", "the five chords", "contradiction.chords"),
        ("with the chords", "its only chord being", "contradiction.chords"),
        ("pop ", "", "missing.genre"),
        ("happy ", "", "missing.mood"),
        ("track", "piano track", "addition.source"),
        ("track", "track by Adele", "addition.word"),
        ("track", "track from 1998", "addition.number"),
        ("track", "slow track", "contradiction.speed"),
        ("A happy", "A beautiful and happy", "subjective"),
        ("A happy", "A moving, happy", "subjective"),
        ("in 4/4", "in 4/4, with a key change,", "addition.change"),
        ("A happy", "Here is a happy", "form.prefix"),
        ("A happy", "- A happy", "form.list"),
        (".", "", "form.sentence"),
        (", and G.", ", and", "form.truncated"),
        ("A minor", "[key]", "form.placeholder"),
        ("A minor", "an unknown key", "form.placeholder"),
        ("track", "'track'", "form.quotes"),
        ("track", "tr\u0430ck", "form.characters"),
        ("track ", "track\u200b ", "form.characters"),
        ("track ", "track\n", "form.newline"),
        ("track", "**track**", "form.markup"),
        ("track", "track track", "form.repetition"),
        ("happy", "happy and happy", "form.repetition"),
        (".", "!", "form.punctuation"),
    ],
)
def test_one_fault_is_named(old: str, new: str, rule: str) -> None:
    assert old in RIGHT
    verdict = check_caption(RIGHT.replace(old, new), FACTS)
    assert (verdict.ok, verdict.rule) == (False, rule), verdict


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (Facts(key="Bb major"), "A piece in A-sharp major."),
        (Facts(chords=("Bb:maj", "Eb:min7")), "A piece with the chords A# and D# minor seventh."),
        (Facts(time_signature="3/4"), "A piece in three-four time."),
        (Facts(time_signature="3/4"), "A piece in waltz time."),
        (Facts(time_signature="6/8"), "A piece in six-eight time, a compound duple meter."),
        (Facts(chords=("C:maj", "G:maj") * 2), "A piece that alternates between C and G."),
        (Facts(chords=("N", "C:maj", "N")), "A piece on a single C chord."),
        (Facts(genre=("Drum & Bass",), mood=("melancholic",)), "A melancholy drum and bass track."),
        (Facts(genre=("genre---hiphop",)), "A hip-hop track."),
        (Facts(genre=("R&B",)), "An R&B song."),
        (Facts(genre=("R&B",)), "A rhythm and blues song."),
        (Facts(mood=("beautiful",)), "A beautiful piece of music."),
        (Facts(genre=("шансон",)), "A шансон recording."),
        (Facts(tempo_bpm=120), "A clip at an Allegro tempo of 120 BPM."),
        (Facts(), "A clip of music."),
    ],
)
def test_equal_spellings_pass(facts: Facts, text: str) -> None:
    verdict = check_caption(text, facts)
    assert verdict.ok, verdict


@pytest.mark.parametrize(
    ("facts", "text", "rule"),
    [
        (Facts(), "A clip at 120 BPM.", "addition.tempo"),
        (Facts(), "A clip in 4/4.", "addition.meter"),
        (Facts(), "A clip in C major.", "addition.key"),
        (Facts(), "A clip in a minor key.", "addition.key"),
        (Facts(), "A clip with the chords C and G.", "addition.chords"),
        (Facts(), "A fast clip of music.", "addition.speed"),
        (Facts(), "A jazz clip.", "addition.word"),
        (Facts(genre=("R&B",)), "A clip of music.", "missing.genre"),
        (Facts(time_signature="6/8"), "A clip with two beats per bar.", "missing.meter"),
        (Facts(chords=("C:maj", "G:maj") * 2), "A piece that moves from C to G.", "contradiction.chords"),
        (Facts(tempo_bpm=90), "Un morceau de musique dont le tempo est de 90 BPM.", "language"),
        (Facts(genre=("pop",)), "A pop piece. It is music. It is a piece.", "form.sentences"),
        (Facts(genre=("pop",)), "Pop music " + "and music of the piece " * 40 + "here.", "form.length"),
        (Facts(genre=("pop",)), "I'm sorry, I cannot describe the pop track.", "form.refusal"),
    ],
)
def test_other_faults(facts: Facts, text: str, rule: str) -> None:
    assert check_caption(text, facts).rule == rule


def test_short_styles_may_leave_out_the_tempo_word_only() -> None:
    text = "happy pop, 120 BPM, A minor, 4/4, chords Am–F–C–G"
    assert check_caption(text, FACTS, "keywords").ok
    assert check_caption(text.replace("120 BPM, ", "Allegro, "), FACTS, "keywords").rule == "missing.tempo"
    assert not check_caption(text, FACTS, "objective").ok
    assert check_caption("i need a happy pop song in a minor, 120 bpm, 4/4, chords am f c g", FACTS, "casual").ok


def test_unknown_style_is_an_error() -> None:
    with pytest.raises(ValueError, match="objective, short, keywords, casual"):
        check_caption(RIGHT, FACTS, "poem")


def test_word_senses() -> None:
    assert find_judgements("A clip in a minor key with a diminished chord, moving through C and G.") == ()
    assert find_judgements("A moving piece in a beautiful minor key.") == ("moving", "beautiful")


def test_parse_gives_spans() -> None:
    text = "A waltz in F# minor at ninety beats per minute in 3/4 with Am and G7."
    parsed = parse_caption(text)
    assert [(t.bpm, text[t.start : t.end]) for t in parsed.tempi] == [(90.0, "ninety beats per minute")]
    assert [text[m.start : m.end] for m in parsed.meters] == ["3/4"]
    assert [m.text for m in parsed.keys] == ["F# minor"]
    assert [m.text for m in parsed.chords if "skip" not in m.roles][-2:] == ["Am", "G7"]
    for mention in (*parsed.tempi, *parsed.meters, *parsed.pitches, *parsed.words, *parsed.marks):
        assert text[mention.start : mention.end] == mention.text
