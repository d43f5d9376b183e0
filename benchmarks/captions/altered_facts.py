"""Recall of the checker on captions that state a fact and change it: hedged, compared, negated, moved, one of several.

``python -m benchmarks.captions.altered_facts [dev|heldout|all] [--show]`` prints for each family how many of the made
captions are refused, and how many good ones are refused: templates of all styles over random facts, and hand-written
paraphrases (``paraphrases.txt``). A caption is made by a rule: a plain sentence about random facts, in which the
wording of one fact is replaced by one of a family's. The sentences with their plain wordings are good captions too.

The families, and which wordings are in which half, were written before the checker knew any of them. ``dev`` was looked
at while it was changed; ``heldout`` was not.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from benchmarks.captions.checker_accuracy import wilson
from benchmarks.captions.hand_set import read_hand_file
from benchmarks.captions.make_set import random_facts
from fgmcaps.captioning import TemplateEngine, check_caption
from fgmcaps.captioning.checker.chord_names import chord_symbol
from fgmcaps.captioning.checker.form import STYLES
from fgmcaps.schemas import Facts
from fgmcaps.schemas.music import tempo_marking

HALVES = ("dev", "heldout")
PER_WORDING = 2
TEMPLATES = 1500

# Where the fact stands in the sentence, and what stands there when nothing is changed.
PLAIN = {
    "genre": "{mood} {genre} track",
    "key": "in {key}",
    "meter": "in {meter} time",
    "tempo": "at {bpm} BPM",
    "chords": "with the chords {c0}, {c1}, {c2} and {c3}",
    "tail": "",
}
SENTENCES = {
    "dev": (
        "A {genre} {key}, {meter}, {tempo} ({marking}), {chords}{tail}.",
        "This {genre} is {key} and {meter}. It moves {tempo}, a tempo marked {marking}, {chords}{tail}.",
        "A {genre} {meter}, {tempo} ({marking}). The music is {key}, {chords}{tail}.",
    ),
    "heldout": (
        "This is a {genre} {tempo} ({marking}), {key} and {meter}, {chords}{tail}.",
        "The {genre} moves {tempo}, an {marking} tempo; it is {key} and {meter}, {chords}{tail}.",
        "Set {key} and {meter}, this {genre} runs {tempo} ({marking}), {chords}{tail}.",
    ),
}


@dataclass(frozen=True)
class Family:
    """Wordings of one kind, by half: ``slot: wording``, both of them split at ``|``."""

    name: str
    dev: str
    heldout: str

    def wordings(self, half: str) -> Iterator[tuple[str, str]]:
        """``(slot, wording)``."""
        for line in (self.dev if half == "dev" else self.heldout).strip().splitlines():
            slot, _, listed = line.strip().partition(": ")
            for wording in listed.split(" | "):
                yield slot, wording


FAMILIES = (
    Family(
        "hedged tempo",
        "tempo: at nearly {bpm} BPM | at roughly {bpm} BPM | at about {bpm} beats per minute | at {bpm} BPM or so"
        " | at a tempo close to {bpm} BPM | at some {bpm} BPM | at {bpm}ish BPM | at more or less {bpm} BPM",
        "tempo: at almost {bpm} BPM | at approximately {bpm} BPM | around {bpm} BPM | at circa {bpm} beats per minute"
        " | at ~{bpm} BPM | at a tempo near {bpm} BPM | at {bpm} BPM, give or take | at what seems to be {bpm} BPM"
        " | at a rough {bpm} BPM | at an approximate tempo of {bpm} BPM",
    ),
    Family(
        "compared tempo",
        "tempo: at over {bpm} BPM | at under {bpm} BPM | at more than {bpm} BPM | at less than {bpm} beats per minute"
        " | above {bpm} BPM | at just under {bpm} BPM | at up to {bpm} BPM | at {bpm} BPM or more | at {bpm}+ BPM"
        " | at a tempo of over {bpm} BPM | at > {bpm} BPM",
        "tempo: below {bpm} BPM | at just over {bpm} BPM | at no less than {bpm} BPM | at at least {bpm} BPM"
        " | faster than {bpm} BPM | at a little over {bpm} BPM | beyond {bpm} beats per minute | at {bpm} BPM and up"
        " | at most {bpm} BPM | at a tempo exceeding {bpm} BPM | at slightly above {bpm} BPM | at {bpm} BPM plus"
        " | at a tempo under {bpm} BPM | at a pace over {bpm} BPM | down from {bpm} BPM | out of {bpm} BPM",
    ),
    Family(
        "another number",
        "tempo: at {bpm}.5 BPM | at {bpm}.4 BPM | at a tempo of {below}.5 BPM | at {below}-{above} BPM"
        " | between {below} and {above} BPM",
        "tempo: at {bpm},5 BPM | at {below}.7 beats per minute | at {bpm}.25 BPM | from {below} to {above} BPM"
        " | at {bpm}-{above} BPM | at {bpm} to {above} BPM | at {bpm} and a half BPM | at {bpm}/{above} BPM"
        " | at {bpm} 1/2 BPM",
    ),
    Family(
        "alternatives",
        "tempo: at {bpm} or {above} BPM | at {bpm} BPM or {double} BPM\n"
        "key: in {key} or its relative | in {key} or {other_key} | in either {key} or {other_key}\n"
        "meter: in {meter} or {other_meter} | in {meter} or {other_meter} time\n"
        "chords: with the chords {c0} or {c1} or {c2} or {c3} | with the chords {c0}, {c1}, {c2} or {c3}\n"
        "genre: {mood} {genre} or rock track | {mood} or {genre} track",
        "tempo: at either {bpm} BPM or half of it | at {bpm} BPM or faster | at {bpm} or so BPM\n"
        "key: in {key} or so | in {other_key} or {key} | in {key} and/or {other_key} | alternatively in {key}\n"
        "meter: in {meter} or a similar meter | in {other_meter} or {meter} | in either {meter} or {other_meter}\n"
        "chords: with the chords {c0}, {c1} or {c2}, {c3} | with either {c0} or {c1}, then {c2} and {c3}"
        " | with the chords {c0} and/or {c1}, {c2}, {c3} | with {c0}, {c1}, and {c2} or {c3}\n"
        "genre: {genre} or {mood} track | {mood} or sad {genre} track | either {mood} or {genre} track",
    ),
    Family(
        "negated",
        "tempo: not at {bpm} BPM | at anything but {bpm} BPM | at a tempo other than {bpm} BPM\n"
        "key: not in {key} | outside of {key} | in no key but {key} | without the key of {key}\n"
        "meter: not in {meter} time | in a meter other than {meter}\n"
        "chords: without the chords {c0}, {c1}, {c2} and {c3} | with no {c0}, {c1}, {c2} or {c3}\n"
        "genre: not {mood} {genre} track | non-{genre} {mood} track",
        "tempo: never at {bpm} BPM | at a tempo unlike {bpm} BPM | away from {bpm} BPM\n"
        "key: never in {key} | in anything but {key} | out of {key} | in a key unlike {key} | off the key of {key}\n"
        "meter: no longer in {meter} time | outside {meter} time | in a meter unlike {meter} | out of {meter} time\n"
        "chords: with neither {c0}, {c1}, {c2} nor {c3} | with chords other than {c0}, {c1}, {c2} and {c3}"
        " | lacking the chords {c0}, {c1}, {c2} and {c3} | instead of the chords {c0}, {c1}, {c2} and {c3}"
        " | with all but the chords {c0}, {c1}, {c2} and {c3} | against the chords {c0}, {c1}, {c2} and {c3}\n"
        "genre: less {mood} {genre} track | hardly {mood} {genre} track | {mood} track other than {genre}",
    ),
    Family(
        "hedged key, meter, genre",
        "key: mostly in {key} | in roughly {key} | in something like {key} | mainly in {key} | close to {key}"
        " | arguably in {key} | in what seems like {key} | primarily in {key}\n"
        "meter: mostly in {meter} time | in nearly {meter} time | roughly in {meter} time\n"
        "chords: with chords such as {c0}, {c1}, {c2} and {c3} | with roughly the chords {c0}, {c1}, {c2} and {c3}"
        " | mostly with the chords {c0}, {c1}, {c2} and {c3}\n"
        "genre: almost {mood} {genre} track | {mood} almost {genre} track | rather {mood} {genre} track"
        " | fairly {mood} {genre} track",
        "key: perhaps in {key} | in approximately {key} | chiefly in {key} | around {key} | near {key} | about {key}"
        " | seemingly in {key} | like {key} | partly in {key} | in a kind of {key} | toward {key} | next to {key}\n"
        "meter: possibly in {meter} time | in approximately {meter} time | chiefly in {meter} time"
        " | near {meter} time | often in {meter} time | primarily in {meter} time | in a sort of {meter} time\n"
        "chords: with chords like {c0}, {c1}, {c2} and {c3} | with chords about {c0}, {c1}, {c2} and {c3}"
        " | mainly with the chords {c0}, {c1}, {c2} and {c3} | with something like the chords {c0}, {c1}, {c2} and {c3}"
        " | with chords similar to {c0}, {c1}, {c2} and {c3}\n"
        "genre: nearly {mood} {genre} track | more or less {mood} {genre} track | {mood} roughly {genre} track"
        " | {mood} kind of {genre} track | approximately {mood} {genre} track | more {mood} than {genre} track"
        " | {mood} track like {genre} | mainly {mood} {genre} track",
    ),
    Family(
        "positions",
        "tempo: starting at {bpm} BPM | ending at {bpm} BPM | finally at {bpm} BPM | at first at {bpm} BPM\n"
        "key: starting in {key} | ending in {key} | finally in {key} | initially in {key} | at first in {key}\n"
        "meter: ending in {meter} time | initially in {meter} time | opening in {meter} time\n"
        "chords: ending on the chords {c0}, {c1}, {c2} and {c3} | starting with the chords {c0}, {c1}, {c2} and {c3}"
        " | with the first chords {c0}, {c1}, {c2} and {c3} | finally with the chords {c0}, {c1}, {c2} and {c3}\n"
        "tail: , the second chord being {c2} | , ending on {c1}",
        "tempo: closing at {bpm} BPM | up to {bpm} BPM | opening at {bpm} BPM | at last at {bpm} BPM"
        " | arriving at {bpm} BPM | at {bpm} BPM at the end | from {bpm} BPM\n"
        "key: closing in {key} | concluding in {key} | lastly in {key} | moving to {key} | in {key} at the end"
        " | opening in {key} | in {key} at the start | landing in {key} | returning to {key} | from {key}\n"
        "meter: concluding in {meter} time | finally in {meter} time | at first in {meter} time"
        " | starting in {meter} time | in {meter} time at the end | arriving in {meter} time\n"
        "chords: concluding with the chords {c0}, {c1}, {c2} and {c3} | closing on {c0}, {c1}, {c2} and {c3}"
        " | opening with the chords {c0}, {c1}, {c2} and {c3} | with the last chords {c0}, {c1}, {c2} and {c3}"
        " | beginning on {c0}, {c1}, {c2} and {c3} | returning to the chords {c0}, {c1}, {c2} and {c3}"
        " | arriving at the chords {c0}, {c1}, {c2} and {c3} | resolving to the chords {c0}, {c1}, {c2} and {c3}"
        " | with the second chords {c0}, {c1}, {c2} and {c3} | with the chords {c0}, {c1}, {c2} and {c3} at the end\n"
        "tail: , the first chord being {c2} | , starting on {c2} | , with {c0} as the last chord"
        " | , the third chord is {c0} | , opening with {c1} | , concluding on {c2}",
    ),
    Family(
        "orders",
        "chords: with {c1} after {c0}, then {c3} and {c2} | with the chords {c3}, {c2}, {c1} and {c0}"
        " | with the chords {c0}, {c1}, {c2} and {c3} in reverse order | with {c1} before {c0}, {c2} and {c3}"
        " | with the chords {c0}, {c1}, {c2} and {c3} in any order",
        "chords: with {c0} after {c1}, then {c2} and {c3} | with {c0}, preceded by {c1}, then {c2} and {c3}"
        " | with the chords {c0}, {c1}, {c2} and {c3} backwards | with {c0}, then {c1}, {c3} before {c2}"
        " | with the chords {c0}, {c1}, {c2} and {c3} in no particular order"
        " | with the chords {c0}, {c1}, {c2} and {c3} in another order"
        " | with the chords {c0}, {c1}, {c2} and {c3} in random order"
        " | with the reversed chords {c0}, {c1}, {c2} and {c3} | with {c0} following {c1}, then {c2} and {c3}"
        " | from {c3} to {c2}, {c1} and {c0}",
    ),
    Family(
        "parts of more",
        "chords: with the chords {c0}, {c1}, {c2}, {c3} and others"
        " | with the chords {c0}, {c1}, {c2} and {c3} among others"
        " | with some of the chords {c0}, {c1}, {c2} and {c3} | with the chords {c0}, {c1}, {c2}, {c3} and so on\n"
        "key: in {key} and another key | in the last section in {key}\n"
        "meter: in the opening in {meter} time",
        "chords: with the chords {c0}, {c1}, {c2}, {c3} and more | with the chords {c0}, {c1}, {c2}, {c3} etc"
        " | with various chords including {c0}, {c1}, {c2} and {c3}"
        " | with the chords {c0}, {c1}, {c2}, {c3} and the like"
        " | with one of the chords {c0}, {c1}, {c2} and {c3} | with {c0}, {c1}, {c2}, {c3} and other chords"
        " | with the chords {c0}, {c1}, {c2}, {c3} and some more\n"
        "key: in {key} during the first part | in the end section in {key} | in {key} and other keys"
        " | in {key} for the first bar\n"
        "meter: in {meter} time until the end | in the first measure in {meter} time | in {meter} and other meters"
        " | in {meter} time in places\n"
        "genre: {mood} {genre} and more track | {mood} {genre} and other track",
    ),
)


def make(half: str, seed: int = 0) -> Iterator[tuple[str, Facts, str]]:
    """``(family, facts, caption)``; the family ``plain`` is of good captions."""
    rng = random.Random(f"{half}|{seed}")
    for sentence in SENTENCES[half]:
        for _ in range(10):
            facts = _facts(rng, half)
            yield "plain", facts, _write(sentence, facts, {}, rng)
    for family in FAMILIES:
        for slot, wording in family.wordings(half):
            for sentence in rng.sample(SENTENCES[half], PER_WORDING):
                facts = _facts(rng, half)
                yield family.name, facts, _write(sentence, facts, {slot: wording}, rng)


def _facts(rng: random.Random, half: str) -> Facts:
    """Facts that have a value for every slot: four different triads, a tempo marked Allegro (``an Allegro tempo``)."""
    while True:
        facts = random_facts(rng, half)
        roots = rng.sample(("C", "D", "E", "F", "G", "A", "B", "Bb", "F#"), 4)
        chords = tuple(f"{root}:{rng.choice(('maj', 'maj', 'min'))}" for root in roots)
        bpm = rng.randint(110, 150)
        whole = facts.key and facts.time_signature and len(facts.genre) == 1 and len(facts.mood) == 1
        if whole and tempo_marking(bpm) == "Allegro":
            return replace(facts, tempo_bpm=bpm, tempo_marking="Allegro", chords=chords)


def _write(sentence: str, facts: Facts, changed: dict[str, str], rng: random.Random) -> str:
    assert facts.tempo_bpm is not None and facts.key is not None
    values: dict[str, object] = {
        "bpm": facts.tempo_bpm,
        "above": facts.tempo_bpm + rng.randint(2, 9),
        "below": facts.tempo_bpm - 1,
        "double": facts.tempo_bpm * 2,
        "key": facts.key,
        "other_key": rng.choice([k for k in ("C major", "A minor", "E minor", "G major") if k != facts.key]),
        "meter": facts.time_signature,
        "other_meter": rng.choice([m for m in ("4/4", "3/4", "6/8", "2/4") if m != facts.time_signature]),
        "genre": facts.genre[0],
        "mood": facts.mood[0],
        **{f"c{i}": chord_symbol(label) for i, label in enumerate(facts.chords)},
    }
    said = {slot: changed.get(slot, plain).format(**values) for slot, plain in PLAIN.items()}
    return sentence.format(marking=facts.tempo_marking, **said)


def good_templates(half: str) -> Iterator[tuple[Facts, str, str]]:
    """``(facts, caption, style)`` of the template engine over random facts."""
    rng, engine = random.Random(f"{half}|templates"), TemplateEngine(seed=HALVES.index(half))
    for i in range(TEMPLATES):
        facts = random_facts(rng, half)
        if not facts.empty:
            for style in STYLES:
                yield facts, engine.write(f"{half}-{i}", facts, style), style


def measure(half: str, show: bool) -> None:
    """Print one half's table."""
    refused: Counter[str] = Counter()
    total: Counter[str] = Counter()

    def count(name: str, facts: Facts, caption: str, style: str, good: bool) -> None:
        verdict = check_caption(caption, facts, style)
        total[name] += 1
        refused[name] += not verdict.ok
        if show and verdict.ok != good:
            print(f"  {name}: {verdict.rule} {verdict.words}: {caption}\n    {facts}")

    for family, facts, caption in make(half):
        count(family, facts, caption, "objective", family == "plain")
    bad = sum(n for name, n in total.items() if name != "plain"), sum(n for f, n in refused.items() if f != "plain")
    for facts, caption, style in good_templates(half):
        count(f"template, {style}", facts, caption, style, True)
    for kind, facts, caption in read_hand_file("paraphrases.txt"):
        count(f"by hand, {kind}", facts, caption, "objective", kind == "good")
    print(f"\n{half}: refused")
    for name in total:
        low, high = wilson(refused[name], total[name])
        print(f"{name:<26}{refused[name]:>5} of {total[name]:<5}{refused[name] / total[name]:8.2%}"
              f"   [{low:.2%}, {high:.2%}]")  # fmt: skip
    print(f"{'all families':<26}{bad[1]:>5} of {bad[0]:<5}{bad[1] / bad[0]:8.2%}")


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("half", nargs="?", default="all", choices=(*HALVES, "all"))
    parser.add_argument("--show", action="store_true", help="print what is judged wrongly (not of the held-out half)")
    args = parser.parse_args()
    for half in HALVES if args.half == "all" else (args.half,):
        measure(half, args.show)


if __name__ == "__main__":
    main()
