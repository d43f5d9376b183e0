"""Chord roots spelt as the key asks: Db in F minor, not C#; Cb in Eb minor, not B.

On the line of fifths (... Bb F C G D ...) the notes of a key lie together: its scale, and around it what is borrowed,
from the flat second to the raised fourth (Temperley, "The Cognition of Basic Musical Structures", 2001, chapter 5).
"""

from collections.abc import Sequence
from functools import lru_cache

from fgmcaps.schemas.harte import pitch_class

_LINE = "FCGDAEB"
_SCALE = {"major": (-1, 5), "minor": (-4, 5)}
"""From the first to the last fifth from the tonic that belong to the scale; in minor with its raised degrees."""


@lru_cache(maxsize=16384)
def spelled(label: str, key: str | None) -> str:
    """A Harte label with its root as the key spells it; unchanged for ``N``, ``X`` and without a key.

    ``key``: such as ``F minor``. Outside the scale no root gets two accidentals, and none is called Cb, Fb, E# or B#.
    """
    root, colon, rest = label.partition(":")
    if key is None or not root or root[0] not in _LINE:
        return label
    tonic, mode = key.split(" ")
    return f"{note_in_key(pitch_class(root.partition('/')[0]), tonic, mode)}{root[len(_note(root)) :]}{colon}{rest}"


def spelled_all(labels: Sequence[str], key: str | None) -> tuple[str, ...]:
    """Several labels, each by :func:`spelled`."""
    return tuple(spelled(label, key) for label in labels)


def note_in_key(pc: int, tonic: str, mode: str) -> str:
    """The name of pitch class ``pc`` (0 = C) in a key."""
    centre = _fifth(tonic)
    steps = [step for step in range(-6, 7) if (_pitch(centre + step)) == pc]  # one, or two: the tritone has two names
    low, high = _SCALE[mode]

    def cost(step: int) -> tuple[bool, int, int]:
        name = _name(centre + step)
        odd = len(name) > 2 or (name in ("Cb", "Fb", "E#", "B#") and not low <= step <= high)
        return odd, len(name), -step

    best = min(steps, key=cost)
    if cost(best)[0]:  # the plain name of the same pitch
        return min((_name(fifth) for fifth in range(-7, 12) if _pitch(fifth) == pc), key=_plainness)
    return _name(centre + best)


def _plainness(name: str) -> tuple[bool, int, str]:
    return name in ("Cb", "Fb", "E#", "B#"), len(name), name


def _note(root: str) -> str:
    return root[: 1 + len(root[1:]) - len(root[1:].lstrip("#b"))]


def _fifth(name: str) -> int:
    """Place on the line of fifths: C is 0, G 1, F -1."""
    return _LINE.index(name[0]) - 1 + 7 * (name.count("#") - name[1:].count("b"))


def _name(fifth: int) -> str:
    accidentals, letter = divmod(fifth + 1, 7)
    return _LINE[letter] + ("#" * accidentals if accidentals >= 0 else "b" * -accidentals)


def _pitch(fifth: int) -> int:
    return 7 * fifth % 12
