"""One way in and out of JSON for every contract: strict, and the error names the type and the field."""

from functools import cache
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")


class ContractError(ValueError):
    """Data from outside does not fit a contract of ``schemas``."""


@cache
def _build(cls: Any) -> TypeAdapter[Any]:
    return TypeAdapter(cls)


def _adapter(cls: type[T]) -> TypeAdapter[T]:
    return _build(cast(Any, cls))


def _explain(cls: type[Any], error: ValidationError) -> ContractError:
    first = error.errors(include_url=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"]) or "value"
    return ContractError(f"not a valid {cls.__name__}: {where}: {first['msg']}")


def to_json(value: Any) -> str:
    """One line of JSON (no newline). Field order is that of the dataclass, so equal values give equal bytes."""
    return _adapter(type(value)).dump_json(value).decode("utf-8")


def to_dict(value: Any) -> dict[str, Any]:
    """Plain JSON-able dict."""
    return cast(dict[str, Any], _adapter(type(value)).dump_python(value, mode="json"))


def from_json(cls: type[T], text: str | bytes) -> T:
    """Parse and validate; raises ContractError."""
    try:
        return _adapter(cls).validate_json(text)
    except ValidationError as error:
        raise _explain(cls, error) from None


def from_dict(cls: type[T], data: Any) -> T:
    """Validate a plain dict; raises ContractError."""
    try:
        return _adapter(cls).validate_python(data)
    except ValidationError as error:
        raise _explain(cls, error) from None
