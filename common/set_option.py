"""``--set KEY=VALUE``, the same in every command that has it."""

from collections.abc import Sequence
from typing import Any

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.common.yaml_text import YamlError, load_yaml


def read_pairs(pairs: Sequence[str], option: str = "--set") -> dict[str, Any]:
    """Values by key; a value is read as YAML, the later of two with one key wins. Raises FgmcapsError."""
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (equals and key.strip()):
            raise FgmcapsError(f"{option} {pair!r}: write KEY=VALUE")
        try:
            found[key.strip()] = load_yaml(value)
        except YamlError as error:
            raise FgmcapsError(f"{option} {pair!r}: the value is not YAML ({error}); quote it") from None
    return found
