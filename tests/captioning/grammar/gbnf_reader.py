"""A small reader of GBNF, written from its description, so that tests draw texts from a grammar and match texts."""

import random
import re
from dataclasses import dataclass

_TOKEN = re.compile(r'\s*(?:("(?:\\.|[^"\\])*")|([\w-]+)|(\{\d+,\d+\})|([()|?]))')


@dataclass(frozen=True)
class Node:
    kind: str  # text, rule, sequence, choice, repeat
    value: object = None
    parts: tuple["Node", ...] = ()


def read_grammar(text: str) -> dict[str, Node]:
    rules = {}
    for line in text.strip().split("\n"):
        name, _, body = line.partition(" ::= ")
        tokens = _TOKEN.findall(body)
        assert "".join("".join(t) for t in tokens).replace(" ", "") == body.replace(" ", ""), line
        node, rest = _choice([next(filter(None, t)) for t in tokens])
        assert not rest, (line, rest)
        rules[name] = node
    return rules


def _choice(tokens):
    options, sequence = [], []
    while tokens and tokens[0] != ")":
        head, *tokens = tokens
        if head == "|":
            options.append(Node("sequence", parts=tuple(sequence)))
            sequence = []
        elif head == "(":
            inner, tokens = _choice(tokens)
            assert tokens[0] == ")"
            tokens = tokens[1:]
            sequence.append(inner)
        elif head == "?":
            sequence[-1] = Node("repeat", (0, 1), (sequence[-1],))
        elif head[0] == "{":
            low, high = map(int, head[1:-1].split(","))
            sequence[-1] = Node("repeat", (low, high), (sequence[-1],))
        elif head[0] == '"':
            sequence.append(Node("text", re.sub(r"\\(.)", r"\1", head[1:-1])))
        else:
            sequence.append(Node("rule", head))
    options.append(Node("sequence", parts=tuple(sequence)))
    return (options[0] if len(options) == 1 else Node("choice", parts=tuple(options))), tokens


def draw(rules: dict[str, Node], dice: random.Random, brief: bool = False) -> str:
    """A text of the grammar; ``brief``: as few repetitions as may be, so no needless word."""

    def text(node: Node) -> str:
        if node.kind == "text":
            return node.value
        if node.kind == "rule":
            return text(rules[node.value])
        if node.kind == "choice":
            return text(dice.choice(node.parts))
        if node.kind == "repeat":
            return "".join(text(node.parts[0]) for _ in range(node.value[0] if brief else dice.randint(*node.value)))
        return "".join(map(text, node.parts))

    return text(rules["root"])


def matches(rules: dict[str, Node], text: str) -> bool:
    """True if the whole text is one of the grammar's."""

    def ends(node: Node, starts: frozenset[int]) -> frozenset[int]:
        if not starts:
            return starts
        if node.kind == "text":
            return frozenset(s + len(node.value) for s in starts if text.startswith(node.value, s))
        if node.kind == "rule":
            return ends(rules[node.value], starts)
        if node.kind == "choice":
            return frozenset().union(*(ends(part, starts) for part in node.parts))
        if node.kind == "repeat":
            low, high = node.value
            reached = starts if low == 0 else frozenset()
            for count in range(1, high + 1):
                starts = ends(node.parts[0], starts)
                reached |= starts if count >= low else frozenset()
            return reached
        for part in node.parts:
            starts = ends(part, starts)
        return starts

    return len(text) in ends(rules["root"], frozenset({0}))
