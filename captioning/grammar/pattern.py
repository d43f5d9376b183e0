"""A regular expression for servers that take no grammar but a JSON schema: the facts in one drawn order.

Any order would need a branch for each of 720 orders. The order is drawn from the facts themselves, so that a corpus has
all of them and a rerun asks the same. Between the facts stand plain lower-case words, which the checker judges.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence

from fgmcaps.captioning.grammar.plan import ENDINGS, OPENERS, SHAPES
from fgmcaps.captioning.spellings.stated import Stated

_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}/]")
_WORD = "[a-z]{1,14}"


def caption_pattern(facts: Sequence[Stated], style: str) -> str:
    """The pattern of captions that state each of ``facts`` once; ECMA syntax without groups that capture names.

    Raises ValueError where there is no fact.
    """
    if not facts:
        raise ValueError("no fact to state")
    shape = SHAPES[style]
    order = sorted(facts, key=lambda fact: hashlib.sha256(fact.spellings[0].encode("utf-8", "replace")).digest())
    spelt = [_one_of(fact.spellings) for fact in order]
    tail = f"( {_one_of(ENDINGS)})?"
    if shape.comma:
        return "^" + f"( {_WORD})?, ".join(spelt) + tail + "$"
    between = f",?( {_WORD},?){{0,{shape.between}}} "
    if shape.plain:
        return f"^({_WORD},? ){{0,{shape.before}}}" + between.join(spelt) + tail + "$"
    start = f"({_one_of(OPENERS)}( {_WORD},?){{0,{shape.before}}} )"
    return f"^{start}" + between.join(spelt) + tail + r"\.$"


def _one_of(texts: Iterable[str]) -> str:
    return "(" + "|".join(_SPECIAL.sub(r"\\\g<0>", text) for text in dict.fromkeys(texts)) + ")"
