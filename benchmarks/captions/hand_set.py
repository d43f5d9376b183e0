"""Reads the hand-written captions: ``hand_dev.txt`` and ``hand_heldout.txt``."""

from collections.abc import Iterator
from pathlib import Path

from fgmcaps.schemas import Facts
from fgmcaps.schemas.music import tempo_marking

HERE = Path(__file__).parent


def read_hand_set(half: str) -> Iterator[tuple[str, Facts, str]]:
    """``(class, facts, caption)`` for each caption of ``dev`` or ``heldout``; class ``good`` for the right ones."""
    yield from read_hand_file(f"hand_{half}.txt")


def read_hand_file(name: str) -> Iterator[tuple[str, Facts, str]]:
    """As :func:`read_hand_set`, of any file of that syntax in this folder."""
    facts = Facts()
    for line in (HERE / name).read_text(encoding="utf-8").splitlines():
        mark, _, rest = line.partition(" ")
        if mark == "@":
            facts = read_facts(rest)
        elif mark == "+":
            yield "good", facts, rest
        elif mark == "-":
            kind, _, caption = rest.partition(": ")
            yield kind, facts, caption


def read_facts(line: str) -> Facts:
    """Facts of an ``@`` line: ``bpm=120 ts=4/4 key=C major chords=C:maj,G:maj genre=pop mood=happy``."""
    values: dict[str, str] = {}
    name = ""
    for word in line.split():
        if "=" in word:
            name, _, value = word.partition("=")
            values[name] = value
        else:
            values[name] += " " + word
    bpm = int(values["bpm"]) if "bpm" in values else None
    return Facts(
        tempo_bpm=bpm,
        tempo_marking=None if bpm is None or values.get("marking") == "none" else tempo_marking(bpm),
        time_signature=values.get("ts"),
        key=values.get("key"),
        chords=_split(values.get("chords")),
        genre=_split(values.get("genre")),
        mood=_split(values.get("mood")),
    )


def _split(value: str | None) -> tuple[str, ...]:
    return tuple(value.split(",")) if value else ()
