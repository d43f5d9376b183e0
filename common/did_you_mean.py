"""The nearest known word, for messages about a misspelt one."""

import difflib
from collections.abc import Iterable

MAX_WORD = 100
_NEAR = 0.6


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the closest known word, or an empty string where nothing is near.

    Letter case and ``-`` or ``_`` count for nothing. A longer word than 100 characters is near to nothing.
    """
    if len(word) > MAX_WORD:
        return ""
    by_form = {_form(name): name for name in reversed(list(known))}
    match = difflib.get_close_matches(_form(word), by_form, n=1, cutoff=_NEAR)
    return f" (did you mean {by_form[match[0]]!r}?)" if match else ""


def _form(word: str) -> str:
    return word.casefold().replace("_", "-")
