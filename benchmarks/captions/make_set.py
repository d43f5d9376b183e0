"""Wrote the labelled set of the checker benchmark: ``dev.jsonl`` and ``heldout.jsonl``.

The two files are frozen: a later template grammar would write other sentences into them, and the held-out half would no
longer be the one that was held out. This module is their recipe; ``--force`` writes them anew.

``python -m benchmarks.captions.make_set``. One line is ``{"id", "class", "phrasing", "facts", "caption"}``; classes are
``good, changed, dropped, added, subjective, malformed``. Good captions are written by hand or by the template; bad
ones by hand, or from a good one: by asking about other facts than it states, or by writing words into it. The two
halves share no hand-written caption, no inserted word and no seed.
"""

import json
import random
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.captions.hand_set import read_hand_set
from benchmarks.captions.insertions import ADDITIONS, BREAKAGES, EXTRA_GENRES, EXTRA_MOODS, JUDGEMENTS, TAILS
from fgmcaps.captioning import TemplateEngine
from fgmcaps.schemas import Facts, to_dict
from fgmcaps.schemas.harte import QUALITIES
from fgmcaps.schemas.meter import TIME_SIGNATURES
from fgmcaps.schemas.music import KEYS, TEMPO_MARKINGS, tempo_marking

HERE = Path(__file__).parent
HALVES = ("dev", "heldout")
_GENRES = {
    "dev": ("pop", "rock", "hip hop", "electronic", "jazz", "folk", "classical", "techno", "drum and bass", "country"),
    "heldout": ("indie", "metal", "R&B", "ambient", "blues", "soul", "reggae", "synth-pop", "trip hop", "world"),
}
_MOODS = {
    "dev": ("happy", "calm", "dark", "energetic", "romantic", "epic"),
    "heldout": ("sad", "uplifting", "relaxing", "melancholic", "tense", "dreamy"),
}
_NOTES = ("C", "C#", "Db", "D", "Eb", "E", "F", "F#", "Gb", "G", "Ab", "A", "Bb", "B")
_NOUN = re.compile(r"\b(piece|track|clip|excerpt|recording|song|music|passage|progression|tempo|chords)\b")
Row = tuple[str, str, Facts, str]


def random_facts(rng: random.Random, half: str) -> Facts:
    """Facts as real clips have them: most attributes known, three to six common chords."""
    bpm = rng.randint(45, 200) if rng.random() < 0.9 else None
    qualities = ["maj"] * 5 + ["min"] * 4 + ["7", "maj7", "min7"] + [rng.choice(list(QUALITIES))]
    chords: list[str] = []
    for _ in range(rng.choice((0, 2, 3, 4, 4, 4, 5, 6))):
        chord = f"{rng.choice(_NOTES)}:{rng.choice(qualities)}"
        if not chords or chords[-1] != chord:
            chords.append(chord)
    return Facts(
        bpm,
        tempo_marking(bpm) if bpm else None,
        rng.choice(TIME_SIGNATURES) if rng.random() < 0.85 else None,
        rng.choice(KEYS) if rng.random() < 0.85 else None,
        tuple(chords),
        tuple(rng.sample(_GENRES[half], rng.choice((0, 1, 1, 2)))),
        tuple(rng.sample(_MOODS[half], rng.choice((0, 1, 1)))),
    )


def change_one(facts: Facts, rng: random.Random) -> Facts | None:
    """The same facts with one value another; tempo changes keep the tempo word where they can."""
    names = ("tempo_bpm", "tempo_marking", "time_signature", "key", "chords", "genre", "mood")
    what = rng.choice([n for n in names if getattr(facts, n)] or ["none"])
    if what == "tempo_bpm" and facts.tempo_bpm:
        near = [b for d in (1, 2, 5, 7, 10, 20) for b in (facts.tempo_bpm - d, facts.tempo_bpm + d) if b > 0]
        return replace(
            facts, tempo_bpm=rng.choice([b for b in near if tempo_marking(b) == facts.tempo_marking] or near)
        )
    if what == "tempo_marking":
        return replace(facts, tempo_marking=rng.choice([w for _, w in TEMPO_MARKINGS if w != facts.tempo_marking]))
    if what == "time_signature":
        return replace(facts, time_signature=rng.choice([s for s in TIME_SIGNATURES if s != facts.time_signature]))
    if what == "key" and facts.key:
        tonic, mode = facts.key.split()
        parallel = f"{tonic} {'minor' if mode == 'major' else 'major'}"
        distant = rng.choice([k for k in KEYS if k.split()[1] == mode and k[:1] != tonic[:1]])
        return replace(facts, key=rng.choice((parallel, distant)))
    if what == "chords":
        return _change_chord(facts, rng)
    if what in ("genre", "mood"):
        extra = EXTRA_GENRES if what == "genre" else EXTRA_MOODS
        values = list(getattr(facts, what))
        values[rng.randrange(len(values))] = rng.choice(extra)
        return replace(facts, **{what: tuple(values)})
    return None


def _change_chord(facts: Facts, rng: random.Random) -> Facts | None:
    chords = list(facts.chords)
    at = rng.randrange(len(chords))
    if len(set(chords)) > 2 and rng.random() < 0.4:
        at = rng.randrange(len(chords) - 1)
        if chords[at] == chords[at + 1]:
            return None
        chords[at], chords[at + 1] = chords[at + 1], chords[at]
    else:
        root, _, quality = chords[at].partition(":")
        other = {"maj": "min", "min": "maj"}.get(quality.partition("/")[0], "maj")
        chords[at] = (
            f"{root}:{other}" if rng.random() < 0.5 else f"{'F#' if root == 'C' else 'C'}:{quality.partition('/')[0]}"
        )
    return replace(facts, chords=tuple(chords)) if tuple(chords) != facts.chords else None


def drop_one(facts: Facts, rng: random.Random) -> Facts:
    """Facts with a value that the caption does not state."""
    options: list[Callable[[], Facts]] = [
        lambda: replace(facts, genre=(*facts.genre, rng.choice(EXTRA_GENRES))),
        lambda: replace(facts, mood=(*facts.mood, rng.choice(EXTRA_MOODS))),
    ]
    if facts.chords:
        last = facts.chords[-1].partition(":")[0]
        options += [lambda: replace(facts, chords=(*facts.chords, f"{'D' if last != 'D' else 'E'}:min9"))] * 3
    if facts.key is None:
        options += [lambda: replace(facts, key="F# minor")] * 3
    if facts.time_signature is None:
        options += [lambda: replace(facts, time_signature="3/4")] * 3
    if facts.tempo_bpm is None:
        options += [lambda: replace(facts, tempo_bpm=121, tempo_marking="Allegro")] * 3
    return rng.choice(options)()


def without_one(facts: Facts, rng: random.Random) -> Facts | None:
    """Facts that lack a value which the caption states."""
    known = [n for n in ("tempo_bpm", "time_signature", "key", "chords", "genre", "mood") if getattr(facts, n)]
    if not known:
        return None
    what = rng.choice(known)
    if what == "tempo_bpm":
        return replace(facts, tempo_bpm=None, tempo_marking=None)
    if what == "chords":
        return replace(facts, chords=() if rng.random() < 0.4 else facts.chords[:-1])
    return replace(facts, **{what: () if what in ("genre", "mood") else None})


def insert_judgement(caption: str, rng: random.Random, half: str) -> str | None:
    """A judging adjective before a noun, or a judging tail."""
    if rng.random() < 0.35:
        return caption[:-1] + f", {rng.choice(TAILS[half])}." if caption.endswith(".") else None
    nouns = list(_NOUN.finditer(caption))
    if not nouns:
        return None
    noun = rng.choice(nouns)
    fresh = [word for word in JUDGEMENTS[half] if word not in caption]  # a word of the facts' own mood is no fault
    return f"{caption[: noun.start()]}{rng.choice(fresh)} {caption[noun.start() :]}"


def insert_addition(caption: str, rng: random.Random, half: str) -> str | None:
    """A phrase about a thing that no fact carries, at the end of a sentence or behind a noun."""
    phrase = rng.choice(ADDITIONS[half])
    noun = re.search(r"\b(piece|track|clip|excerpt|recording|song)\b", caption)
    if noun and rng.random() < 0.5:
        return f"{caption[: noun.end()]} {phrase}{caption[noun.end() :]}"
    return caption[:-1] + f", {phrase}." if caption.endswith(".") else None


def build(half: str) -> Iterator[Row]:
    """``(class, phrasing, facts, caption)`` of one half."""
    rng = random.Random(f"labelled set {half}")
    hand = list(read_hand_set(half))
    good: list[tuple[str, Facts, str]] = [("hand", f, c) for kind, f, c in hand if kind == "good"]
    engine = TemplateEngine(seed=HALVES.index(half) + 1000)
    for i in range(80):
        facts = random_facts(rng, half)
        good.append(("template", facts, engine.write(f"{half}-{i}", facts)))
    yield from (("good", p, f, c) for p, f, c in good)
    yield from ((kind, "hand", f, c) for kind, f, c in hand if kind != "good")
    makers: dict[str, tuple[int, Callable[[Facts, str], tuple[Facts | None, str | None]]]] = {
        "changed": (110, lambda f, c: (change_one(f, rng), c)),
        "dropped": (50, lambda f, c: (drop_one(f, rng), c)),
        "added": (60, lambda f, c: (without_one(f, rng), c)),
        "subjective": (70, lambda f, c: (f, insert_judgement(c, rng, half))),
    }
    for kind, (count, make) in makers.items():
        for phrasing, facts, caption in _cycle(good, count, rng):
            other, text = make(facts, caption)
            if other is not None and text is not None:
                yield kind, phrasing, other, text
    for phrasing, facts, caption in _cycle(good, 60, rng):
        text = insert_addition(caption, rng, half)
        if text is not None:
            yield "added", phrasing, facts, text
    for i in range(30):  # the sentence never says the value, in the template's own words
        facts = random_facts(rng, half)
        less = without_one(facts, rng)
        if less is not None and not less.empty:
            yield "dropped", "template", facts, engine.write(f"{half}-less-{i}", less)
    for i, (phrasing, facts, caption) in enumerate(_cycle(good, 70, rng)):
        text = BREAKAGES[half][i % len(BREAKAGES[half])](caption)
        yield "malformed", phrasing, facts, text


def _cycle(good: list[tuple[str, Facts, str]], count: int, rng: random.Random) -> Iterator[tuple[str, Facts, str]]:
    order: list[tuple[str, Facts, str]] = []
    while len(order) < count:
        order += rng.sample(good, len(good))
    yield from order[:count]


def main() -> None:
    """Write both halves, where they are not there yet."""
    for half in HALVES:
        rows = [
            {"id": f"{half}-{i:04d}", "class": kind, "phrasing": phrasing, "facts": to_dict(facts), "caption": caption}
            for i, (kind, phrasing, facts, caption) in enumerate(build(half))
        ]
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        path = HERE / f"{half}.jsonl"
        if path.exists() and "--force" not in sys.argv[1:]:
            raise SystemExit(f"{path.name} exists and is frozen; --force writes it anew")
        path.write_text(text, encoding="utf-8")
        print(f"{half}: {len(rows)} captions")


if __name__ == "__main__":
    main()
