"""What differs between two sets of settings, for errors that refuse to mix them."""

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any


def differences(before: Any, now: Any, *, ignore: Collection[str] = ()) -> list[str]:
    """``name: before -> now`` for every value that differs, values as JSON, names of nested ones dotted.

    ``ignore``: dotted names that do not matter. A value that one side lacks counts as null.
    """
    old, new = dict(_leaves(before)), dict(_leaves(now))
    names = sorted((old.keys() | new.keys()) - set(ignore))
    return [f"{n}: {old.get(n, 'null')} -> {new.get(n, 'null')}" for n in names if old.get(n) != new.get(n)]


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{name}.{key}" if name else str(key))
    else:
        yield name, json.dumps(value, ensure_ascii=False, default=list)
