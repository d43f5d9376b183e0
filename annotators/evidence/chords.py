"""Evidence of a chord recogniser: its posterior beyond the labels that it chose."""

from dataclasses import dataclass
from typing import Annotated

from fgmcaps.annotators.evidence.base import Evidence, Numbers, exactly
from fgmcaps.annotators.evidence.chord_classes import CLASSES


@dataclass(frozen=True, slots=True)
class ChordPosteriors(Evidence):
    """Posteriors by the classes of :mod:`fgmcaps.annotators.evidence.chord_classes`.

    One value for each span of the sequence:

    - ``majmin_mass``: mean mass of the class of the span's label;
    - ``runner_up``, ``runner_up_mass``: the class with the highest mean mass among the others;
    - ``entropy``: of the mean masses, in nats.

    ``majmin_mean``: mean masses of the whole clip; ``root_histogram``: the same by root, 12 from C.
    """

    majmin_mass: Numbers
    runner_up: tuple[str, ...]
    runner_up_mass: Numbers
    entropy: Numbers
    majmin_mean: Annotated[Numbers, exactly(CLASSES)]
    root_histogram: Annotated[Numbers, exactly(12)]

    def __post_init__(self) -> None:
        for name in ("runner_up", "runner_up_mass", "entropy"):
            if len(getattr(self, name)) != len(self.majmin_mass):
                raise ValueError(f"{name} has {len(getattr(self, name))} spans, majmin_mass {len(self.majmin_mass)}")

    @property
    def spans(self) -> int:
        """Number of spans that it describes."""
        return len(self.majmin_mass)
