"""Do the key and chord names of a caption, read in order, say the given key and the given progression?

Each name has one or more possible roles; the question is whether some choice of roles tells exactly the facts. That way
``A minor`` may be key or chord, wherever the sentence does not settle it, and a wrong caption still has no such choice.
"""

from collections.abc import Sequence

from fgmcaps.captioning.checker.chord_names import Sound
from fgmcaps.captioning.checker.mentions import PitchMention
from fgmcaps.schemas.music import key_index


def is_key(mention: PitchMention, key: int) -> bool:
    """True if the name, read as a key, is the key with this index (``fgmcaps.schemas.music.key_index``)."""
    pitch = mention.pitch
    return pitch.mode is not None and pitch.sound.root + (12 if pitch.mode == "minor" else 0) == key


def collapse(sounds: Sequence[Sound]) -> tuple[Sound, ...]:
    """The progression without immediate repeats."""
    return tuple(s for i, s in enumerate(sounds) if i == 0 or s != sounds[i - 1])


def held_places(sounds: Sequence[Sound]) -> frozenset[int]:
    """Places in ``collapse(sounds)`` of the chords that ``sounds`` repeats at once."""
    place, held = -1, set()
    for i, sound in enumerate(sounds):
        if i and sound == sounds[i - 1]:
            held.add(place)
        else:
            place += 1
    return frozenset(held)


def shortest_period(sounds: Sequence[Sound]) -> tuple[Sound, ...]:
    """The pattern that the progression repeats a whole number of times (itself if none)."""
    n = len(sounds)
    for size in range(1, n // 2 + 1):
        if n % size == 0 and all(sounds[i] == sounds[i % size] for i in range(n)):
            return tuple(sounds[:size])
    return tuple(sounds)


def states_exactly(
    mentions: Sequence[PitchMention], key: str | None, chords: Sequence[Sound], held: frozenset[int] = frozenset()
) -> bool:
    """True if some reading of the names states the key (where given) and exactly the chords, in order.

    ``held`` are the places in ``chords`` (immediate repeats removed) that the facts repeat: a caption may too.
    """
    wanted = None if key is None else key_index(key)
    n = len(chords)
    states = {(0, False)}  # chords told so far, key told
    for mention in mentions:
        following: set[tuple[int, bool]] = set()
        for told, keyed in states:
            if "key" in mention.roles and wanted is not None and is_key(mention, wanted):
                following.add((told, True))
            placed = ("start" in mention.roles and told > 0) or ("end" in mention.roles and told != n - 1)
            if "chord" in mention.roles and not placed:
                if told < n and mention.pitch.sound == chords[told]:
                    following.add((told + 1, keyed))
                if told - 1 in held and mention.pitch.sound == chords[told - 1]:
                    following.add((told, keyed))  # a chord that the facts repeat, told once more
            if n and "opening" in mention.roles and mention.pitch.sound == chords[0]:
                following.add((told, keyed))
            if n and "closing" in mention.roles and mention.pitch.sound == chords[-1]:
                following.add((told, keyed))
            if "skip" in mention.roles or "mode" in mention.roles:
                following.add((told, keyed))
        states = following
    return any(told == n and (keyed or wanted is None) for told, keyed in states)
