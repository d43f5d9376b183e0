"""The plan of a constrained caption: which facts are still to be said, and what may stand between them.

A caption is read from left to right by an automaton whose state is the set of facts that are still missing and whether
the second sentence has begun. Each fact is said once, in any order; between two facts stand a bounded number of
connecting words. The plan is the same for all clips with the same attributes: only the spellings differ.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

# What the first or second sentence may begin with, where it does not begin with a fact.
OPENERS = (
    "A", "An", "The", "This", "It", "Its", "In", "At", "With", "Set", "Written", "Played", "Performed", "Built",
    "Music", "Composed", "Using", "Featuring", "Structured", "Presented", "Recorded", "Moving at", "Running at",
)  # fmt: skip
# What the text may end with behind its last fact: nothing that leaves the sentence open.
ENDINGS = ("music", "time", "throughout", "overall", "piece", "track", "clip", "song", "tune", "tempo", "pace", "meter", "signature", "style", "mood", "structure", "pulse", "framework", "together")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a style allows beside the facts.

    ``before``, ``between`` and ``after`` are the most connecting words before the first fact, between two and after the
    last; ``sentences`` how many there may be; ``comma`` that facts are items of a list; ``plain`` that the text has
    neither capital nor full stop.
    """

    before: int
    between: int
    after: int
    sentences: int = 1
    comma: bool = False
    plain: bool = False


SHAPES = {
    "objective": Shape(before=5, between=7, after=3, sentences=2),
    "short": Shape(before=3, between=4, after=1),
    "keywords": Shape(before=0, between=1, after=1, comma=True, plain=True),
    "casual": Shape(before=6, between=4, after=4, plain=True),
}


def subsets(n: int) -> Iterator[tuple[int, ...]]:
    """All subsets of ``range(n)``, smallest first."""
    for size in range(n + 1):
        yield from combinations(range(n), size)
