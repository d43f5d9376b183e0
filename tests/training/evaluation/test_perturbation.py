"""Perturbed captions: the independent checker of ``captioning`` says what a caption states, before and after."""

import json
import random
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fgmcaps.captioning import TemplateEngine, check_caption
from fgmcaps.schemas import Facts, from_dict
from fgmcaps.schemas.music import KEYS, TEMPO_MARKINGS, tempo_marking
from fgmcaps.training.evaluation.perturbation import ATTRIBUTES, MIN_TEMPO_CHANGE, perturb

PROGRESSIONS = (
    ("C:maj", "F:maj", "G:7", "C:maj"),
    ("A:min7", "D:7", "G:maj7"),
    ("Bb:maj", "Eb:maj/5", "F:min"),
    ("F#:min", "D:maj"),
    ("A:min",),
    ("E:maj", "A:maj", "N", "B:sus4", "C#:min7", "A:maj", "E:maj"),
    ("Ab:hdim7", "Db:dim"),
    ("G:maj/3", "D:min6"),
    ("F#:maj", "Gb:maj", "B:min7"),
)
RULES = {"key": "contradiction.key", "bpm": "contradiction.tempo", "tempo_word": "contradiction.marking",
         "beat_count": "contradiction.meter", "chords": "contradiction.chords"}  # fmt: skip
HELD_OUT = Path(__file__).parents[3] / "benchmarks" / "captions" / "heldout.jsonl"


def _facts(seed):
    rng = random.Random(seed)
    bpm = rng.randint(45, 205)
    meter, key = rng.choice(["4/4", "3/4", "6/8", "2/4"]), rng.choice(KEYS)
    return Facts(bpm, tempo_marking(bpm), meter, key, rng.choice(PROGRESSIONS), ("rock",), ("calm",))


@pytest.mark.slow
@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10**9))
@example(1341)  # the new chord is the tonic triad of the key
@example(1500096)
def test_template_captions_state_the_new_value_and_nothing_else_new(seed):
    facts = _facts(seed)
    caption = TemplateEngine(seed % 7).write(f"clip-{seed}", facts)
    for attribute in ATTRIBUTES:
        made = perturb(caption, facts, attribute, str(seed))
        if made is None:
            assert attribute == "bpm" and facts.tempo_marking in {"Vivace", "Adagio"}, (attribute, caption)
            continue
        assert check_caption(made.text, made.facts).ok, (attribute, caption, made.text)
        assert check_caption(made.text, facts).rule == RULES[attribute]
        assert [a for a in Facts.__dataclass_fields__ if getattr(made.facts, a) != getattr(facts, a)] == [
            {"key": "key", "bpm": "tempo_bpm", "tempo_word": "tempo_marking", "beat_count": "time_signature"}.get(
                attribute, attribute
            )
        ]


@pytest.mark.slow
def test_captions_by_hand_of_people_who_knew_no_grammar():
    stated, found = dict.fromkeys(ATTRIBUTES, 0), dict.fromkeys(ATTRIBUTES, 0)
    for line in HELD_OUT.read_text().splitlines():
        entry = json.loads(line)
        if entry["class"] != "good":
            continue
        facts, caption = from_dict(Facts, entry["facts"]), entry["caption"]
        if not check_caption(caption, facts).ok:
            continue  # one caption that the checker itself does not understand
        values = {"key": facts.key, "bpm": facts.tempo_bpm, "tempo_word": facts.tempo_marking,
                  "beat_count": facts.time_signature, "chords": facts.chords}  # fmt: skip
        for attribute in (a for a in ATTRIBUTES if values[a]):
            stated[attribute] += 1
            made = perturb(caption, facts, attribute, entry["id"])
            if made is not None:
                found[attribute] += 1
                assert check_caption(made.text, made.facts).ok, (caption, made.text)
                assert not check_caption(made.text, facts).ok, (caption, made.text)
    assert all(found[a] >= 0.94 * stated[a] for a in ATTRIBUTES), (found, stated)


@settings(max_examples=200, deadline=None)
@given(st.integers(20, 260), st.booleans())
def test_the_tempo_changes_enough_and_keeps_its_word(bpm, worded):
    word = tempo_marking(bpm)
    caption = f"A piece at {bpm} BPM ({word})." if worded else f"A piece at {bpm} BPM."
    made = perturb(caption, Facts(tempo_bpm=bpm, tempo_marking=word), "bpm", "x")
    if made is None:
        assert worded
        return
    assert abs(made.facts.tempo_bpm / bpm - 1) > MIN_TEMPO_CHANGE
    assert f"at {made.facts.tempo_bpm} BPM" in made.text
    assert not worded or tempo_marking(made.facts.tempo_bpm) == word


def test_articles_follow_the_new_word():
    made = {w for i in range(40) for w in [perturb("With an Allegro tempo.", Facts(tempo_marking="Allegro"),
            "tempo_word", str(i)).text]}  # fmt: skip
    assert "With an Andante tempo." in made and "With a Largo tempo." in made
    assert len(made) == len(TEMPO_MARKINGS) - 1


@pytest.mark.parametrize(
    ("caption", "facts", "attribute"),
    [
        ("A calm piece.", Facts(key="C major"), "key"),
        ("A piece in C major.", Facts(), "key"),
        ("C major, then C major again.", Facts(key="C major", chords=("C:maj",)), "key"),  # which one is the key?
        ("A piece at 120 BPM.", Facts(tempo_bpm=121), "bpm"),
        ("A waltz in 3/4.", Facts(time_signature="3/4"), "beat_count"),  # "waltz" would stay
        ("A track with C and G.", Facts(chords=("C:maj", "G:maj", "F:maj")), "chords"),
        ("A track in A.", Facts(chords=("A:maj",)), "chords"),
    ],
)
def test_what_is_not_found_with_certainty_is_left_out(caption, facts, attribute):
    assert perturb(caption, facts, attribute) is None


def test_choices_are_reproducible_and_vary():
    facts = Facts(key="C major")
    texts = [perturb("A piece in C major.", facts, "key", str(i)).text for i in range(300)]
    assert texts == [perturb("A piece in C major.", facts, "key", str(i)).text for i in range(300)]
    assert len(set(texts)) == 23
    with pytest.raises(ValueError, match="unknown attribute 'mode'"):
        perturb("A piece.", facts, "mode")
