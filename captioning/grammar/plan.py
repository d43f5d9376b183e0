"""What a style allows beside the facts: how many words, sentences and which openings and endings."""

from dataclasses import dataclass

# What a sentence may begin with, where it does not begin with a fact.
OPENERS = (
    *("A", "An", "The", "This", "It", "Its", "In", "At", "With", "Set", "Written", "Played", "Performed", "Built"),
    *("Music", "Composed", "Using", "Featuring", "Structured", "Presented", "Recorded", "Moving at", "Running at"),
)
# What a text may end with behind its last fact: nothing that leaves a sentence open.
ENDINGS = (
    *("music", "throughout", "overall", "together", "piece", "track", "clip", "song", "tune", "structure", "pulse"),
    *("tempo", "pace", "time", "meter", "signature", "style", "mood", "framework"),
)
# What a comma before a fact goes on with: without such a word the sentence would be a list.
JOINTS = (
    *("and", "at", "featuring", "has", "in", "is", "it", "its", "on", "the", "that", "this", "using", "which", "while"),
    "with",
)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a style allows.

    ``before`` and ``between`` are the most connecting words before the first fact and between two; ``sentences`` how
    many there may be; ``comma`` that facts are items of a list; ``plain`` that the text has neither capital nor full
    stop.
    """

    before: int
    between: int
    sentences: int = 1
    comma: bool = False
    plain: bool = False


SHAPES = {
    "objective": Shape(before=5, between=7, sentences=2),
    "short": Shape(before=3, between=4),
    "keywords": Shape(before=0, between=1, comma=True, plain=True),
    "casual": Shape(before=6, between=4, plain=True),
}
