"""What one fusion function returns."""

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Decision(Generic[T]):
    """A value with its confidence in 0 .. 1, or ``value=None`` and the reason why there is none."""

    value: T | None
    confidence: float | None
    reason: str = ""

    def flags(self, attribute: str) -> tuple[str, ...]:
        """``("attribute:reason",)`` where the value is withheld."""
        return () if self.value is not None else (f"{attribute}:{self.reason}",)


def share(votes: float, total: float, doubt: float) -> float:
    """Share of the votes against all votes and the doubt, rounded to 4 decimals."""
    return round(votes / (total + doubt), 4) if total + doubt > 0 else 0.0
