"""Text from outside that a row can hold."""


def storable(value: object) -> str | None:
    """The text trimmed; None where it is not a text, is empty, or cannot be encoded as UTF-8."""
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:  # JSON can spell half a surrogate pair
        return None
    return value.strip()
