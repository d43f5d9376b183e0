"""The house plan holds: imports run one way, no circle of modules or of rooms, and every import is by the one name."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
MAY_IMPORT = {
    "common": set(),
    "schemas": set(),
    "annotators": {"common", "schemas"},
    "captioning": {"common", "schemas"},
    "pipeline": {"common", "schemas", "annotators", "captioning"},
    "training": {"common", "schemas"},
}
"""Each room at the top, and the rooms that it may import."""


def modules():
    """Every module of ours by its name, with its syntax tree."""
    for room in MAY_IMPORT:
        for path in sorted((REPOSITORY / room).rglob("*.py")):
            parts = path.relative_to(REPOSITORY).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), ast.parse(path.read_text("utf-8"))


TREES = dict(modules())


def imported(tree, at_import_only=False):
    """Names of our modules that a module imports; ``at_import_only``: when it is imported itself."""
    nodes = list(tree.body) if at_import_only else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("fgmcaps."):
            name = node.module.removeprefix("fgmcaps.")
            yield from (f"{name}.{a.name}" if f"{name}.{a.name}" in TREES else name for a in node.names)
        elif isinstance(node, ast.Import):
            yield from (a.name.removeprefix("fgmcaps.") for a in node.names if a.name.startswith("fgmcaps."))


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_imports_run_one_way(room):
    backward = [
        f"{name} imports {other}"
        for name, tree in TREES.items()
        if name.split(".")[0] == room
        for other in imported(tree)
        if other.split(".")[0] not in MAY_IMPORT[room] | {room}
    ]
    assert not backward


def test_every_import_of_ours_is_by_the_one_name_and_whole():
    wrong = [
        f"{name}, line {node.lineno}"
        for name, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.level or (node.module or "").split(".")[0] in MAY_IMPORT))
        or (isinstance(node, ast.Import) and any(a.name.split(".")[0] in MAY_IMPORT for a in node.names))
    ]
    assert not wrong


def circle(graph):
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return None


def test_no_circle_of_modules():
    assert circle({name: set(imported(tree, at_import_only=True)) - {name} for name, tree in TREES.items()}) is None


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_no_circle_of_folders(room):
    """A folder that needs another one is not needed by it; a file beside the folders counts as a folder of its own."""
    graph: dict[str, set[str]] = {}
    for name, tree in TREES.items():
        if name.split(".")[0] == room and "." in name:
            folder = name.split(".")[1]
            others = {other.split(".")[1] for other in imported(tree) if other.startswith(f"{room}.")}
            graph.setdefault(folder, set()).update(others - {folder})
    assert circle(graph) is None


def test_there_is_one_way_to_the_terminal():
    """Text of others passes `common.terminal` or `common.console`, which take its escape sequences away."""
    wrong = [
        f"{name}, line {node.lineno}"
        for name, tree in TREES.items()
        if name not in {"common.terminal", "common.console", "pipeline.demo"}
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"print", "click.echo", "click.secho", "Console"}
    ]
    assert not wrong
