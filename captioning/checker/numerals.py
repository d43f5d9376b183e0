"""English cardinal numbers below a thousand: spelled in captions, read back from them.

Conventions: ``one hundred and twenty-four``, ``a hundred twenty-four`` and ``one twenty-four`` all read as 124.
"""

_UNIT_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen"
)
_UNITS = tuple(_UNIT_WORDS.split())
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_UNIT_VALUES = {word: value for value, word in enumerate(_UNITS)}

NUMBER_WORDS = frozenset(_UNIT_VALUES) | frozenset(_TENS) | {"hundred"}


def spell(value: int) -> str:
    """Words of an integer in 0 .. 999; ValueError outside."""
    if not 0 <= value <= 999:
        raise ValueError(f"can spell 0 to 999, not {value}")
    if value < 20:
        return _UNITS[value]
    if value < 100:
        tens = next(word for word, ten in _TENS.items() if ten == value - value % 10)
        return f"{tens}-{_UNITS[value % 10]}" if value % 10 else tens
    hundreds, rest = divmod(value, 100)
    return f"{_UNITS[hundreds]} hundred" + (f" and {spell(rest)}" if rest else "")


def read(words: list[str]) -> tuple[int, int] | None:
    """The number at the start of lower-case ``words`` (hyphens removed): ``(value, words used)``, or None.

    The longest reading wins. A lone ``a`` or ``and`` is not a number.
    """
    hundreds = _hundreds(words)
    if hundreds is not None:
        value, used = hundreds
        skip = 1 if words[used : used + 1] == ["and"] else 0
        rest = _below_hundred(words[used + skip :])
        return (value + rest[0], used + skip + rest[1]) if rest else (value, used)
    below = _below_hundred(words)
    if below is None:
        return None
    value, used = below
    # "one twenty", "one thirty-five": a unit that is followed by a ten is a count of hundreds.
    if used == 1 and 1 <= value <= 9 and len(words) > 1 and words[1] in _TENS:
        rest = _below_hundred(words[1:])
        if rest is not None:
            return value * 100 + rest[0], 1 + rest[1]
    return below


def _hundreds(words: list[str]) -> tuple[int, int] | None:
    if len(words) < 2 or words[1] != "hundred":
        return None
    if words[0] == "a":
        return 100, 2
    unit = _UNIT_VALUES.get(words[0], 0)
    return (unit * 100, 2) if 1 <= unit <= 9 else None


def _below_hundred(words: list[str]) -> tuple[int, int] | None:
    if not words:
        return None
    if words[0] in _TENS:
        unit = _UNIT_VALUES.get(words[1], 0) if len(words) > 1 else 0
        return (_TENS[words[0]] + unit, 2) if 1 <= unit <= 9 else (_TENS[words[0]], 1)
    return (_UNIT_VALUES[words[0]], 1) if words[0] in _UNIT_VALUES else None
