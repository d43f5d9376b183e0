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
