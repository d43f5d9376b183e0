"""GBNF: the grammar notation of llama.cpp, which vLLM's grammar backend (xgrammar) reads too.

https://github.com/ggml-org/llama.cpp/tree/master/grammars
"""

from collections.abc import Iterable, Sequence
from functools import cache

from fgmcaps.captioning.grammar.plan import ENDINGS, OPENERS, SHAPES, Shape, subsets
from fgmcaps.captioning.lexicon.word_lists import connecting_words
from fgmcaps.captioning.spellings.stated import Stated

_NAMES = "mgktrc"


def caption_grammar(facts: Sequence[Stated], style: str) -> str:
    """Grammar of the captions that state each of ``facts`` once, in any order and spelling.

    Raises ValueError where there is no fact: there is nothing to hold.
    """
    if not facts:
        raise ValueError("no fact to state")
    attributes = tuple(fact.attribute for fact in facts)
    spelt = [f"f{i} ::= {alternatives(fact.spellings)}" for i, fact in enumerate(facts)]
    if not SHAPES[style].plain:
        spelt += [f"F{i} ::= {alternatives(map(_capital, fact.spellings))}" for i, fact in enumerate(facts)]
    return "\n".join((_frame(attributes, style), *spelt)) + "\n"


def literal(text: str) -> str:
    """A quoted terminal."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def alternatives(texts: Iterable[str]) -> str:
    """One of the texts, with what they begin with in common written once."""
    root: dict[str, dict] = {}  # type: ignore[type-arg]
    for text in texts:
        node = root
        for letter in text:
            node = node.setdefault(letter, {})
        node[""] = {}
    return _branches(root)


def _branches(node: dict[str, dict]) -> str:  # type: ignore[type-arg]
    out = []
    for letter in sorted(filter(None, node)):
        text, below = letter, node[letter]
        while len(below) == 1 and "" not in below:
            (following, below), text = next(iter(below.items())), text  # noqa: PLW0127
            text += following
        if set(below) == {""}:
            out.append(literal(text))
        elif "" in below:
            out.append(f"{literal(text)} ({_branches({k: v for k, v in below.items() if k})})?")
        else:
            out.append(f"{literal(text)} ({_branches(below)})")
    return " | ".join(out)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@cache
def _frame(attributes: tuple[str, ...], style: str) -> str:
    """All rules but the spellings, by the attributes that are stated."""
    shape = SHAPES[style]
    words = connecting_words(style, frozenset(attributes))
    ends = [word for word in ENDINGS if word in words]
    rules = [*_joints(shape), f"w ::= {alternatives(words)}", f"end ::= {alternatives(ends)}"]
    if not shape.plain:
        rules.append(f"open ::= {alternatives(OPENERS)}")
    for sentence in range(shape.sentences):
        last = sentence == shape.sentences - 1
        for left in subsets(len(attributes)):
            rules += _state(left, sentence, last, len(attributes))
    return "\n".join((_root(shape, len(attributes)), *rules))


def _root(shape: Shape, n: int) -> str:
    everything = _name("s", 0, tuple(range(n)))
    if not shape.plain:
        return f"root ::= start {everything} | {_first_facts(0, tuple(range(n)), 'F')}"
    begin = "" if shape.comma else "(before )?"
    return f"root ::= {begin}{everything}".replace("(before )?", "before? ")


def _joints(shape: Shape) -> list[str]:
    if shape.comma:
        return [
            f'gap ::= (" " w){{0,{shape.between}}} ", "',
            f'tail ::= (" " end)?',
        ]
    rules = [
        f'gap ::= ","? (" " w ","?){{0,{shape.between}}} " "',
        f'tail ::= ((" " w){{0,{shape.after}}} " " end)?' + ("" if shape.plain else ' "."'),
    ]
    if shape.plain:
        rules.append(f'before ::= (w ","? " "){{1,{shape.before}}}')
    else:
        rules.append(f'start ::= open (" " w ","?){{0,{shape.before}}} " "')
    return rules


def _state(left: tuple[int, ...], sentence: int, last: bool, n: int) -> list[str]:
    """``s``: the next fact; ``a``: after a fact, what may come before the next one."""
    after = _name("a", sentence, left)
    if not left:
        return [f"{after} ::= tail"]
    rules = [f"{_name('s', sentence, left)} ::= {_first_facts(sentence, left, 'f')}"]
    if len(left) == n and not sentence:
        return rules
    go_on = f"gap {_name('s', sentence, left)}"
    if not last:
        following = _name("s", sentence + 1, left)
        capital = _first_facts(sentence + 1, left, "F")
        go_on += f' | tail " " (start {following} | {capital})'
    return [*rules, f"{after} ::= {go_on}"]


def _first_facts(sentence: int, left: tuple[int, ...], kind: str) -> str:
    return " | ".join(f"{kind}{i} {_name('a', sentence, tuple(j for j in left if j != i))}" for i in left)


def _name(kind: str, sentence: int, left: tuple[int, ...]) -> str:
    return f"{kind}{sentence}-" + ("".join(map(str, left)) or "x")
