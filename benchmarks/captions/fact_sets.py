"""The 300 fact sets on which caption writers are compared: ``fact_sets.jsonl``, one ``{"id", "facts"}`` a line.

``python -m benchmarks.captions.fact_sets BILLBOARD DATASET``: BILLBOARD is the folder of the McGill Billboard
annotations (tempo, meter, key and chords of ten seconds of real songs, CC0), DATASET a folder that ``fgmcaps build``
wrote (the demo's: facts as the annotators found them on recordings). Every pattern of missing attributes occurs;
genres and moods are drawn from names that people tag with, the odd ones among them. The file is frozen: later runs
compare with earlier ones.
"""

import json
import random
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.truth.songs.billboard import read_songs
from benchmarks.truth.songs.windows import CLIP_S, Window, windows_of
from fgmcaps.captioning.checker.check_lines import read_facts
from fgmcaps.pipeline.dataset.read import facts_of_row
from fgmcaps.schemas import Facts, to_dict
from fgmcaps.schemas.harte import is_chord_label
from fgmcaps.schemas.music import tempo_marking

PATH = Path(__file__).with_name("fact_sets.jsonl")
COUNT = 300
_GENRES = (
    "pop", "rock", "jazz", "classical", "hip-hop", "electronic", "folk", "blues", "country", "reggae", "ambient",
    "metal", "R&B", "soul", "funk", "techno", "bossa nova", "drum and bass", "lo-fi", "8-bit", "chiptune",
    "singer-songwriter", "synth-pop", "Musique concrète", "trip hop", "film score", "a cappella", "post-rock",
    "K-pop", "breakcore",
)  # fmt: skip
_MOODS = (
    "happy", "sad", "calm", "dark", "energetic", "romantic", "epic", "melancholic", "uplifting", "relaxing", "tense",
    "dreamy", "playful", "nostalgic", "aggressive", "laid-back", "mysterious", "bittersweet",
)  # fmt: skip


def read_fact_sets(path: Path = PATH) -> list[tuple[str, Facts]]:
    """``(id, facts)`` of every line."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return [(row["id"], read_facts(row["facts"])) for row in rows]


def facts_of_window(window: Window) -> Facts:
    """What an ideal annotator would say of the ten seconds: a chord that is held is named once."""
    at, chords = 0.0, []
    for bar in window.bars:
        for place, label in enumerate(bar.chords):
            start = at + place * bar.seconds / len(bar.chords)
            if window.start_s - 0.5 <= start < window.start_s + CLIP_S - 0.3 and is_chord_label(label):
                chords.append(label)
        at += bar.seconds
    kept = [c for i, c in enumerate(chords) if i == 0 or chords[i - 1] != c]
    bpm = round(window.felt_bpm)
    return Facts(bpm, tempo_marking(bpm), window.meter[0], window.key, tuple(kept))


def chart_facts(folder: Path, dice: random.Random) -> Iterator[tuple[str, Facts]]:
    """Facts of real songs, a song each, with each pattern of missing attributes in turn."""
    songs = read_songs(folder)
    dice.shuffle(songs)
    number = 0
    for song in songs:
        for window in windows_of(song, np.random.default_rng(int(song.slot)), 1):
            pattern = 1 + number % 63
            facts = facts_of_window(window)
            genre = tuple(dice.sample(_GENRES, dice.choice((1, 1, 2))))
            mood = tuple(dice.sample(_MOODS, dice.choice((1, 1, 2))))
            kept = replace(
                facts,
                tempo_bpm=facts.tempo_bpm if pattern & 1 else None,
                tempo_marking=facts.tempo_marking if pattern & 1 else None,
                time_signature=facts.time_signature if pattern & 2 else None,
                key=facts.key if pattern & 4 else None,
                chords=facts.chords if pattern & 8 else (),
                genre=genre if pattern & 16 else (),
                mood=mood if pattern & 32 else (),
            )
            if not kept.empty:
                number += 1
                yield f"chart-{song.slot}", kept


def dataset_facts(folder: Path) -> Iterator[tuple[str, Facts]]:
    """Facts of the rows of a built dataset."""
    names = ["tempo_bpm", "tempo_marking", "time_signature", "key", "chord_summary", "genre", "mood"]
    for path in sorted(folder.rglob("*.parquet")):
        for row in pq.read_table(path, columns=["id", *names]).to_pylist():
            facts = facts_of_row(row)
            if not facts.empty:
                yield row["id"], facts


def main() -> None:
    """Write the file."""
    charts, dataset = map(Path, sys.argv[1:])
    rows = list(dataset_facts(dataset))
    for item in chart_facts(charts, random.Random(11)):
        if len(rows) == COUNT:
            break
        rows.append(item)
    with PATH.open("w", encoding="utf-8") as file:
        for name, facts in rows:
            file.write(json.dumps({"id": name, "facts": to_dict(facts)}, ensure_ascii=False) + "\n")
    print(f"{len(rows)} fact sets in {PATH}")


if __name__ == "__main__":
    main()
