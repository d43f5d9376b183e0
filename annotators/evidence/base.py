"""The base of every kind of evidence, and its form in the details of an estimate.

A tool makes an object of a class of this folder and writes ``to_details()`` into its estimate; the fusion reads it back
with ``from_details()``. The axes of its numbers (ratios, lags, bar lengths) are constants of the class, so writer and
reader cannot differ.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field

from fgmcaps.schemas.codec import ContractError, from_dict, to_dict
from fgmcaps.schemas.estimate import Detail

Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Numbers = tuple[Number, ...]


class EvidenceError(ValueError):
    """Details that hold evidence in another form than its class."""


class Evidence:
    """One kind of evidence. Subclasses are frozen dataclasses; their fields are named as in the details."""

    __slots__ = ()

    def to_details(self) -> dict[str, Detail]:
        """Its part of an estimate's details, in the order of the fields."""
        return to_dict(self)

    @classmethod
    def from_details(cls, details: Mapping[str, Detail], tool: str) -> Self | None:
        """The evidence in ``details`` of an estimate by ``tool``; None where none of its fields is there.

        Raises EvidenceError naming the tool and the field if one is missing, of another type or of another length.
        """
        own = {field.name: details[field.name] for field in fields(cls) if field.name in details}  # type: ignore[arg-type]
        if not own:
            return None
        try:
            return from_dict(cls, own)
        except ContractError as error:
            raise EvidenceError(f"{tool}: evidence is damaged or of another version: {error}; annotate again") from None


def exactly(count: int) -> Any:
    """A constraint for ``Annotated``: so many items."""
    return Field(min_length=count, max_length=count)


def rounded(values: Any, digits: int = 3) -> tuple[float, ...]:
    """A vector as rounded floats; NaN and infinity become 0."""
    finite = np.nan_to_num(np.asarray(values, np.float64), posinf=0.0, neginf=0.0)
    return tuple(float(v) for v in np.round(finite, digits))
