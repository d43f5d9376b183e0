"""The three splits, and the names that others give them."""

import re
import unicodedata

SPLITS = ("train", "validation", "test")

HASHED = "hash"
"""Stands for no given split, where a user maps names: the hash of the artist decides."""

_NAMES = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("validation", "valid", "validate", "val", "dev", "devel", "development"), "validation"),
    **dict.fromkeys(("test", "testing", "tst", "holdout"), "test"),
}
# What may follow: test_clean, train-clean-100, valid_a, test_set.
_MORE = re.compile(r"clean|other|small|medium|large|full|mini|set|split|data|[a-d]|\d{1,4}")


def canonical_split(name: str) -> str | None:
    """``train``, ``validation`` or ``test`` for a name that means one of them, whatever its case; None for any other.

    ``eval``, ``all``, ``unsplit`` and the like mean different things to different people, and are none.
    """
    words = [word for word in re.split(r"[\s_./-]+", unicodedata.normalize("NFKC", name).casefold()) if word]
    if not words or words[0] not in _NAMES or not all(_MORE.fullmatch(word) for word in words[1:]):
        return None
    return _NAMES[words[0]]
