"""Which licences allow a clip's audio to be published.

Conventions
-----------
- A clip is a 10 s cut of a recording, re-encoded: an adaptation, not a verbatim copy. Licences that allow only verbatim
  copies (the ND family) therefore do not allow it.
- What the table does not know does not allow: no licence, an unknown name, a sentence.
- A row may name SPDX expressions, brackets included: with ``OR`` one part that allows is enough if the table knows the
  others too, with ``AND`` all parts must allow. ``WITH`` and what cannot be read as an expression are names.
- The table knows licences, not law: it errs on the side of keeping audio back, and says why.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from license_expression import Licensing  # type: ignore[import-untyped]

from fgmcaps.pipeline.licences.names import normal_name

Kind = Literal["allowed", "forbidden", "reserved", "unknown"]

_ALLOWED = frozenset(
    {
        *("cc0", "cc0-1.0", "cc-zero", "public-domain", "publicdomain", "pd", "pdm", "pdm-1.0", "cc-pdm-1.0"),
        *("pddl", "pddl-1.0", "unlicense", "wtfpl", "0bsd"),
        *("mit", "mit-0", "expat", "isc", "zlib", "apache", "apache-2", "apache-2.0", "bsd", "bsd-2-clause"),
        *("bsd-3-clause", "art-libre", "free-art", "lal", "lal-1.2", "lal-1.3", "oga-by-3.0", "oga-by-4.0"),
        *("odc-by", "odc-by-1.0", "odbl", "odbl-1.0", "eff-oal", "open-audio-license"),
    }
)
_RESERVED = frozenset(
    {
        *("all-rights-reserved", "copyright", "copyrighted", "proprietary", "commercial", "(c)", "©", "c"),
        *("royalty-free", "standard-youtube-license", "standard-youtube-licence", "no-licence", "no-license"),
    }
)
_SOURCE_CODE = re.compile(r"(gnu-)?(a|l)?gpl(-?v?[0-9](\.[0-9])?)?(-only|-or-later|\+)?")
# Versions 1 to 3 were ported to jurisdictions, and catalogues write them out.
_PLACES = (
    *(
        "united-states",
        "united-kingdom",
        "uk-england-wales",
        "england-wales",
        "scotland",
        "ireland",
        "canada",
        "mexico",
    ),
    *("mexico", "argentina", "brazil", "chile", "colombia", "spain", "portugal", "france", "germany", "austria"),
    *(
        "switzerland",
        "italy",
        "netherlands",
        "belgium",
        "luxembourg",
        "denmark",
        "norway",
        "sweden",
        "finland",
        "poland",
        "greece",
    ),
    *("australia", "new-zealand", "japan", "korea", "taiwan", "south-africa"),
)
_CC = re.compile(
    r"(?:cc-)?(?P<terms>by(?:-(?:nc|sa|nd))*)(?:-aka-music-sharing)?(?:-[1-4](?:\.[0-9])?)?"
    rf"(?:-(?:international|unported|generic|deed|igo|[a-z]{{2}}|{'|'.join(_PLACES)}))*"
)
_NO_DERIVATIVES = re.compile(r"(?:^|-)by-(?:[a-z]+-)*nd(?:-|$)")
_ALL_MUST: tuple[Kind, ...] = ("forbidden", "unknown", "reserved", "allowed")
_ONE_IS_ENOUGH: tuple[Kind, ...] = ("unknown", "allowed", "reserved", "forbidden")
"""The first kind that a part of an expression has is the kind of the whole."""

_EXPRESSIONS = Licensing()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the table knows about a licence: its kind, and one sentence for people."""

    kind: Kind
    reason: str

    @property
    def allowed(self) -> bool:
        """True when the audio may be published."""
        return self.kind == "allowed"


@lru_cache(maxsize=1024)  # a corpus has few licences and many rows
def judge(licence: str | None) -> Verdict:
    """The verdict on a licence as a row names it: a name, a Creative Commons address, or an SPDX expression."""
    text = " ".join((licence or "").split())
    if not text:
        return Verdict("unknown", "no licence is given")
    if len(text) > 200:
        return Verdict("unknown", "a text, not the name of a licence")
    if not re.search(r"(?: |\))(?:AND|OR)(?: |\()", text):
        return _judge_name(text)
    try:
        expression = _EXPRESSIONS.parse(text)
    except Exception:  # not an expression; besides its own errors the parser raises IndexError and AssertionError
        return _judge_name(text)
    return _judge_expression(expression)


def _judge_expression(node: Any) -> Verdict:
    """The verdict on a parsed expression."""
    if not isinstance(node, _EXPRESSIONS.AND | _EXPRESSIONS.OR):
        return _judge_name(node.render())
    order = _ALL_MUST if isinstance(node, _EXPRESSIONS.AND) else _ONE_IS_ENOUGH
    return min(map(_judge_expression, node.args), key=lambda verdict: order.index(verdict.kind))


def decide(licence: str | None, assumed: str | None = None) -> Verdict:
    """:func:`judge`, after the publisher's own statement.

    ``assumed`` is the licence under which the publishers state that they may publish. It applies to rows without a
    licence, with an unknown one, and with all rights reserved (owners may grant what they have reserved). It never
    overrides a licence that is known and forbids.
    """
    verdict = judge(licence)
    if assumed is not None and verdict.kind in ("unknown", "reserved"):
        return Verdict("allowed", f"published under {assumed} by the publisher's statement")
    return verdict


def _judge_name(name: str) -> Verdict:
    key = normal_name(name)
    if key in _ALLOWED:
        return Verdict("allowed", "allows copies and adaptations")
    if key in _RESERVED:
        return Verdict("reserved", "all rights are reserved")
    match = _CC.fullmatch(key)
    if match and (key.startswith("cc-") or "-" in match["terms"] or "attribution" in name.lower()):
        if "nd" in match["terms"].split("-"):
            return Verdict("forbidden", "no derivatives: a cut of 10 s is one")
        return Verdict("allowed", "Creative Commons with adaptations")
    if _NO_DERIVATIVES.search(key):  # whatever else the text says
        return Verdict("forbidden", "no derivatives: a cut of 10 s is one")
    if _SOURCE_CODE.fullmatch(key):
        return Verdict("forbidden", "asks for the corresponding source, which a clip does not carry")
    return Verdict("unknown", "the licence is not in the table")
