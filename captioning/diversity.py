"""How varied a set of captions is: distinct-n and self-BLEU.

Conventions
-----------
Tokens are lower-case words, numbers and single signs. All figures are in 0 .. 1.

Metrics
-------
- distinct-n: different n-grams over all n-grams (Li et al., NAACL 2016); higher is more varied.
- self-BLEU: mean BLEU-4 of each caption against the others (Zhu et al., SIGIR 2018); lower is more varied. Counts of
  zero are smoothed with 1/2 (add-epsilon, method 1 of Chen & Cherry 2014); references are an evenly spaced sample.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence

MAX_REFERENCES = 200
_TOKEN = re.compile(r"[^\W_]+(?:[#♯♭'’][^\W_]*)*|\S")
Tokens = tuple[str, ...]


def tokenize(text: str) -> Tokens:
    """Lower-case tokens of a caption."""
    return tuple(_TOKEN.findall(text.lower()))


def distinct_n(texts: Sequence[str], n: int) -> float:
    """Share of n-grams that differ; 0 where there are none. ValueError for n < 1."""
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    grams = [gram for text in texts for gram in _grams(tokenize(text), n)]
    return len(set(grams)) / len(grams) if grams else 0.0


def self_bleu(texts: Sequence[str], max_texts: int = MAX_REFERENCES) -> float:
    """Mean BLEU-4 of each caption against the others, over at most ``max_texts`` evenly spaced ones; 0 below two."""
    step = max(1, len(texts) // max_texts)
    sample = [tokenize(text) for text in texts[::step][:max_texts]]
    if len(sample) < 2:
        return 0.0
    counts = [[Counter(_grams(tokens, n)) for n in range(1, 5)] for tokens in sample]
    highest = [_highest_two([own[n] for own in counts]) for n in range(4)]
    return sum(_bleu(i, sample, counts, highest) for i in range(len(sample))) / len(sample)


def _grams(tokens: Tokens, n: int) -> list[Tokens]:
    return [tokens[i : i + n] for i in range(len(tokens) - n + 1)]


def _highest_two(counts: Sequence[Counter[Tokens]]) -> dict[Tokens, tuple[int, int]]:
    """The highest and the next highest count of each n-gram: without a text of the highest the next one is."""
    found: dict[Tokens, tuple[int, int]] = {}
    for own in counts:
        for gram, count in own.items():
            first, second = found.get(gram, (0, 0))
            found[gram] = (count, first) if count > first else (first, max(second, count))
    return found


def _bleu(
    index: int,
    sample: Sequence[Tokens],
    counts: Sequence[Sequence[Counter[Tokens]]],
    highest: Sequence[dict[Tokens, tuple[int, int]]],
) -> float:
    logs = 0.0
    for n in range(4):
        own = counts[index][n]
        total = sum(own.values())
        if total == 0:
            return 0.0
        clipped = sum(min(count, highest[n][gram][count == highest[n][gram][0]]) for gram, count in own.items())
        logs += math.log((clipped or 0.5) / total) / 4
    length = len(sample[index])
    closest = min((len(t) for j, t in enumerate(sample) if j != index), key=lambda size: (abs(size - length), size))
    return math.exp(logs + min(0.0, 1 - closest / length))
