"""Number words, both ways."""

import pytest

from fgmcaps.captioning.checker.numerals import read, spell


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "zero"),
        (20, "twenty"),
        (72, "seventy-two"),
        (100, "one hundred"),
        (124, "one hundred and twenty-four"),
        (999, "nine hundred and ninety-nine"),
    ],
)
def test_spells(value: int, words: str) -> None:
    assert spell(value) == words


def test_spelling_reads_back_for_every_tempo() -> None:
    for value in range(1000):
        words = spell(value).replace("-", " ").split()
        assert read(words) == (value, len(words))


@pytest.mark.parametrize(
    ("text", "value", "used"),
    [
        ("a hundred twenty four beats", 124, 4),
        ("one twenty bpm", 120, 2),
        ("one thirty five", 135, 3),
        ("four four time", 4, 1),
        ("six eight", 6, 1),
        ("two hundred and the", 200, 2),
    ],
)
def test_reads_spoken_forms(text: str, value: int, used: int) -> None:
    assert read(text.split()) == (value, used)


@pytest.mark.parametrize("text", ["", "and", "a", "hundred", "piece"])
def test_no_number(text: str) -> None:
    assert read(text.split()) is None


@pytest.mark.parametrize("value", [-1, 1000])
def test_spell_refuses_what_it_cannot_say(value: int) -> None:
    with pytest.raises(ValueError, match="0 to 999"):
        spell(value)
