"""GBNF: the grammar notation of llama.cpp, which vLLM's grammar backend (xgrammar) reads too.

https://github.com/ggml-org/llama.cpp/tree/master/grammars

A caption is read from left to right by an automaton whose state is the set of facts that are still to be said, and
which sentence it is in: each fact is said once, in any order, with a bounded number of connecting words between two.
All rules but the spellings of the facts depend on the attributes alone, and are made once for each set of them.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations

from fgmcaps.captioning.grammar.plan import ENDINGS, JOINTS, OPENERS, SHAPES, Shape
from fgmcaps.captioning.lexicon.word_lists import connecting_words
from fgmcaps.captioning.spellings.stated import Stated

Left = tuple[int, ...]
"""Facts still to be said, by their places."""


def caption_grammar(facts: Sequence[Stated], style: str) -> str:
    """Grammar of the captions that state each of ``facts`` once, in any order and spelling.

    Raises ValueError where there is no fact: there is nothing to hold.
    """
    if not facts:
        raise ValueError("no fact to state")
    spelt = [f"f{i} ::= {alternatives(fact.spellings)}" for i, fact in enumerate(facts)]
    if not SHAPES[style].plain:
        spelt += [f"F{i} ::= {alternatives(map(_capital, fact.spellings))}" for i, fact in enumerate(facts)]
    return "\n".join((_frame(tuple(fact.attribute for fact in facts), style), *spelt)) + "\n"


def literal(text: str) -> str:
    """A quoted terminal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Letters(dict[str, "_Letters"]):
    """A tree of letters; the key ``""`` marks the end of a text."""


def alternatives(texts: Iterable[str]) -> str:
    """One of the texts; what several begin with is written once, which keeps a server's work small."""
    root = _Letters()
    for text in texts:
        node = root
        for letter in text:
            node = node.setdefault(letter, _Letters())
        node[""] = _Letters()
    return _branches(root)


def _branches(node: _Letters) -> str:
    out = []
    for letter in sorted(filter(None, node)):
        text, below = letter, node[letter]
        while len(below) == 1 and "" not in below:
            ((following, below),) = below.items()
            text += following
        rest = _branches(_Letters((k, v) for k, v in below.items() if k))
        out.append(literal(text) + (f" ({rest})" + "?" * ("" in below) if rest else ""))
    return " | ".join(out)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _frame(attributes: tuple[str, ...], style: str) -> str:
    shape, words = SHAPES[style], connecting_words(style, frozenset(attributes))
    everything = tuple(range(len(attributes)))
    first = _name("s", 0, everything)
    if shape.plain:
        root = f"before? {first}" if shape.before else first
    else:
        root = f"start {first} | {_next_fact('F', 0, everything)}"
    rules = [
        f"root ::= {root}",
        f"w ::= {alternatives(words)}",
        f"end ::= {alternatives(word for word in ENDINGS if word in words)}",
        *_joints(shape),
    ]
    subsets = [left for size in range(len(attributes) + 1) for left in combinations(everything, size)]
    for sentence in range(shape.sentences):
        for left in subsets:
            if left:
                rules.append(f"{_name('s', sentence, left)} ::= {_next_fact('f', sentence, left)}")
            if left != everything:
                rules.append(f"{_name('a', sentence, left)} ::= {_after_fact(shape, sentence, left)}")
    return "\n".join(rules)


def _joints(shape: Shape) -> list[str]:
    """What stands before the first fact, between two, and after the last."""
    tail = 'tail ::= (" " end)?' + ("" if shape.plain else ' "."')
    if shape.comma:
        return [f'gap ::= (" " w){{0,{shape.between}}} ", "', tail]
    gap = f'gap ::= ","? (" " w ","?){{0,{shape.between}}} " "'
    if shape.plain:
        return [f'before ::= (w ","? " "){{1,{shape.before}}}', gap, tail]
    words = f'(" " w ","?){{0,{shape.between - 1}}} " "'
    return [
        f"open ::= {alternatives(OPENERS)}",
        f'start ::= open (" " w){{0,{shape.before}}} " "',
        f"joint ::= {alternatives(JOINTS)}",
        f'gap ::= " " (w ","? {words})? | ", " joint {words}',
        tail,
    ]


def _after_fact(shape: Shape, sentence: int, left: Left) -> str:
    if not left:
        return "tail"
    go_on = f"gap {_name('s', sentence, left)}"
    following = sentence + 1
    if following == shape.sentences:
        return go_on
    return f'{go_on} | tail " " (start {_name("s", following, left)} | {_next_fact("F", following, left)})'


def _next_fact(kind: str, sentence: int, left: Left) -> str:
    """Any fact of those left; ``kind`` F begins it with a capital."""
    return " | ".join(f"{kind}{i} {_name('a', sentence, tuple(j for j in left if j != i))}" for i in left)


def _name(kind: str, sentence: int, left: Left) -> str:
    """``s``: a fact is to come; ``a``: a fact has been said."""
    return f"{kind}{sentence}-" + ("".join(map(str, left)) or "none")
