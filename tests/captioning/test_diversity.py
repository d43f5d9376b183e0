"""distinct-n and self-BLEU against values worked out by hand."""

import math

import pytest

from fgmcaps.captioning.diversity import distinct_n, self_bleu, tokenize


def test_distinct_by_hand() -> None:
    texts = ["a b a", "a b"]  # unigrams a b a a b: 2 of 5; bigrams ab ba ab: 2 of 3
    assert distinct_n(texts, 1) == pytest.approx(2 / 5)
    assert distinct_n(texts, 2) == pytest.approx(2 / 3)
    assert distinct_n([], 1) == 0.0
    with pytest.raises(ValueError, match="at least 1"):
        distinct_n(texts, 0)


def test_self_bleu_by_hand() -> None:
    same = ["one two three four five"] * 2
    assert self_bleu(same) == pytest.approx(1.0)
    # Against the other: 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 quadruples, equal length.
    near = ["one two three four five", "one two three four six"]
    assert self_bleu(near) == pytest.approx((4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25)
    # 5 words against a reference of 10: brevity penalty e^(1 - 10/5); the other way round only the counts are clipped.
    assert self_bleu(["a b c d e", "a b c d e f g h i j"]) == pytest.approx(
        (math.exp(-1) + (5 / 10 * 4 / 9 * 3 / 8 * 2 / 7) ** 0.25) / 2
    )
    assert self_bleu(["alone"]) == 0.0


def test_tokens_keep_accidentals() -> None:
    assert tokenize("F#m, 4/4.") == ("f#m", ",", "4", "/", "4", ".")
