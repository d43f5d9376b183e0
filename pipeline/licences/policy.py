"""Which licences allow a clip's audio to be published.

Conventions
-----------
- A clip is a 10 s cut of a recording, re-encoded: an adaptation, not a verbatim copy. Licences that allow only verbatim
  copies (the ND family) therefore do not allow it.
- What the table does not know does not allow: no licence, an unknown name, a sentence. A text that names a restriction,
  however spelled, does not allow either, and nobody's assumption overrides it.
- A row may name SPDX expressions, brackets included: with ``OR`` one part that allows is enough if the table knows the
  others too, with ``AND`` all parts must allow. ``WITH`` and what cannot be read as an expression are names.
- The table knows licences, not law: it errs on the side of keeping audio back, and says why.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from license_expression import Licensing  # type: ignore[import-untyped]

from fgmcaps.pipeline.licences.names import table_key
from fgmcaps.pipeline.licences.terms import NC, ND, creative_commons, is_reserved, restrictions

MAX_NAME, MAX_READ = 200, 20_000
Kind = Literal["allowed", "forbidden", "restricted", "reserved", "unknown"]

_ALLOWED = frozenset(
    {
        *("pddl", "pddl-1.0", "unlicense", "wtfpl", "0bsd"),
        *("mit", "mit-0", "expat", "isc", "zlib", "apache", "apache-2", "apache-2.0", "apache-version-2.0"),
        *("bsd", "bsd-2-clause", "bsd-3-clause", "art-libre", "art-libre-1.3", "free-art", "free-art-1.3", "fal"),
        *("fal-1.3", "lal", "lal-1.2", "lal-1.3", "licence-art-libre", "oga-by-3.0", "oga-by-4.0"),
        *("odc-by", "odc-by-1.0", "odbl", "odbl-1.0", "eff-oal", "open-audio"),
    }
)
_RESERVED = frozenset(
    {
        *("commercial", "c", "©", "royalty-free", "standard-youtube", "youtube-standard", "no-licence", "no-license"),
        *("no", ""),  # what is left of "no licence"
    }
)
_FREE_ART_ADDRESS = re.compile(r"https?://(?:www\.)?artlibre\.org/(?:licen[cs]e|lal)(?:/[\w./-]*)?", re.IGNORECASE)
_SOURCE_CODE = re.compile(
    r"(?:gnu-)?(?:(?:a|l)?gpl|(?:affero-|lesser-)?general(?:-public)?)(?:-?(?:v|version-)?[0-9](?:\.[0-9])?)?"
    r"(?:-only|-or-later|\+)?"
)
_ALL_MUST: tuple[Kind, ...] = ("forbidden", "restricted", "unknown", "reserved", "allowed")
_ONE_IS_ENOUGH: tuple[Kind, ...] = ("restricted", "unknown", "allowed", "reserved", "forbidden")
"""The first kind that a part of an expression has is the kind of the whole."""

_EXPRESSIONS = Licensing()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the table knows about a licence: its kind, and one sentence for people.

    ``forbidden``: known, and it forbids. ``restricted``: not known, but it names a restriction.
    """

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
    if len(text) > MAX_NAME:
        kind: Kind = "restricted" if restrictions(text[:MAX_READ]) else "unknown"
        return Verdict(kind, "a text, not the name of a licence")
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
    overrides a licence that is known and forbids, nor a text that names a restriction.
    """
    verdict = judge(licence)
    if assumed is not None and verdict.kind in ("unknown", "reserved"):
        return Verdict("allowed", f"published under {assumed} by the publisher's statement")
    return verdict


def _judge_name(name: str) -> Verdict:
    limits = restrictions(name)
    if ND in limits:  # whatever else the text says
        return Verdict("forbidden", "no derivatives: a cut of 10 s is one")
    licence = creative_commons(name)
    if licence is not None and (NC not in limits or NC in licence.elements):
        return Verdict("allowed", "Creative Commons with adaptations" if licence.elements else "in the public domain")
    key = table_key(name)
    if key in _ALLOWED or _FREE_ART_ADDRESS.fullmatch(name):
        return Verdict("allowed", "allows copies and adaptations")
    if key in _RESERVED:
        return Verdict("reserved", "all rights are reserved")
    if _SOURCE_CODE.fullmatch(key):
        return Verdict("forbidden", "asks for the corresponding source, which a clip does not carry")
    if limits:
        return Verdict("restricted", "names a restriction that the table does not know")
    if is_reserved(name):
        return Verdict("reserved", "all rights are reserved")
    return Verdict("unknown", "the licence is not in the table")
