"""YAML of users and strangers, read within bounds: size, depth, aliases, and what the aliases stand for.

A few hundred bytes of nested aliases name billions of values, and a mapping with one key twice loses one of the two
without a word; both are errors here, named with their line.
"""

from collections import Counter
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 65_536
MAX_DEPTH = 20
MAX_VALUES = 10_000


class YamlError(ValueError):
    """The text is no YAML, or beyond the bounds; one line, which says where."""


def read_yaml(path: Path) -> Any:
    """The value of a YAML file. Raises YamlError, OSError and UnicodeDecodeError."""
    with path.open("rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise YamlError(f"larger than {MAX_BYTES} bytes")
    return load_yaml(data.decode("utf-8-sig"))


def read_front_matter(path: Path) -> Any:
    """The value of the YAML between the first two lines ``---`` of a Markdown file.

    Raises YamlError (also where there is none), OSError and UnicodeDecodeError.
    """
    with path.open("rb") as file:
        text = file.read(MAX_BYTES + 8).decode("utf-8-sig", "ignore").replace("\r\n", "\n")
    if not text.startswith("---\n"):
        raise YamlError("no YAML between lines of ---")
    head, end, _ = text[4:].partition("\n---\n")
    if not end:
        raise YamlError(f"its YAML does not end within {MAX_BYTES} bytes")
    return load_yaml(head)


def load_yaml(text: str) -> Any:
    """The value of a YAML text. Raises YamlError."""
    if len(text) > MAX_BYTES:
        raise YamlError(f"longer than {MAX_BYTES} characters")
    try:
        _check_events(text)
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            if node is None:
                return None
            _measure(node, {}, set())
            return loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        where = "" if error.problem_mark is None else f"line {error.problem_mark.line + 1}: "
        raise YamlError(where + " ".join(f"{error.problem or error.context}".split())) from None
    except (yaml.YAMLError, RecursionError, ArithmeticError, ValueError) as error:  # ValueError: a 13th month
        raise YamlError(" ".join(str(error).split())) from None


def _check_events(text: str) -> None:
    """Refuse deep nesting and many values before anything recursive sees them."""
    depth = 0
    for number, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        line = 1 if event.start_mark is None else event.start_mark.line + 1
        if depth > MAX_DEPTH:
            raise YamlError(f"line {line}: nested deeper than {MAX_DEPTH} levels")
        if number > 2 * MAX_VALUES:
            raise YamlError(f"line {line}: more than {MAX_VALUES} values")


def _measure(node: yaml.Node, known: dict[int, tuple[int, int]], above: set[int]) -> tuple[int, int]:
    """Values under the node and its height, with what aliases stand for; refuses cycles, doubled keys, and too much."""
    if id(node) in known:
        return known[id(node)]
    line = node.start_mark.line + 1
    if id(node) in above:
        raise YamlError(f"line {line}: holds itself")
    children: list[yaml.Node] = []
    if isinstance(node, yaml.SequenceNode):
        children = node.value
    elif isinstance(node, yaml.MappingNode):
        children = [child for pair in node.value for child in pair]
        names = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        twice = next((name for name, n in Counter(names).items() if n > 1), None)
        if twice is not None:
            raise YamlError(f"line {line}: the key {twice!r} is there twice")
    above.add(id(node))
    below = [_measure(child, known, above) for child in children]
    above.discard(id(node))
    values, height = 1 + sum(n for n, _ in below), 1 + max((h for _, h in below), default=0)
    if values > MAX_VALUES or height > MAX_DEPTH + 1:
        raise YamlError(f"line {line}: aliases make it {values} values and {height} levels; too much to be meant")
    known[id(node)] = values, height
    return values, height
