"""Spellings of licences: SPDX identifiers of Creative Commons licences, and one key for all spellings of a name.

Jamendo gives addresses, the Free Music Archive gives titles such as ``Attribution-NonCommercial-ShareAlike 3.0
International``. What is neither, or names no version, is kept as it is: a guess could free what is not free.
"""

import re

_ADDRESS = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?P<kind>licenses|publicdomain)/(?P<name>[a-z-]+)"
    r"(?:/(?P<version>\d\.\d))?(?:/.*)?"
)
_ELEMENTS = ("by", "nc", "nd", "sa")
_WORDS = (
    (r"creative-commons-", "cc-"),
    (r"attribution", "by"),
    (r"non-?commercial", "nc"),
    (r"share-?alike", "sa"),
    (r"no-?deriv(?:ative)?s?(?:-works)?", "nd"),
    (r"^the-", ""),
    (r"-(?:public-)?licen[cs]e(?=-|$)", ""),
    (r"^ccby", "cc-by"),
    (r"^universal-|-universal$", ""),
)


def licence_name(text: str) -> str:
    """The SPDX identifier of a Creative Commons address or title; any other text comes back trimmed."""
    text = " ".join(text.split())
    match = _ADDRESS.fullmatch(text)
    if match is not None and match["version"]:
        if match["kind"] == "licenses" and set(match["name"].split("-")) <= set(_ELEMENTS):
            return f"CC-{match['name'].upper()}-{match['version']}"
        return f"CC0-{match['version']}" if (match["kind"], match["name"]) == ("publicdomain", "zero") else text
    words = re.sub(r"[^a-z0-9.]+", "", text.lower())
    version = re.search(r"\d\.\d", text)
    if re.match(r"cc0|creativecommonszero", words) and version:
        return f"CC0-{version[0]}"
    if version is None or not re.match(r"(?:creativecommons)?attribution", words):
        return text
    stated = {
        "by": True,
        "nc": "noncommercial" in words,
        "nd": "noderiv" in words,
        "sa": "sharealike" in words,
    }
    return "CC-" + "-".join(e.upper() for e in _ELEMENTS if stated[e]) + f"-{version[0]}"


def normal_name(name: str) -> str:
    """A key for tables: lower case, one dash between words, Creative Commons names in their short form (``cc-by-4.0``).

    An address loses its version: ``cc-by``; those of the public domain are ``cc0`` and ``pdm``.
    """
    text = name.strip().lower()
    match = _ADDRESS.fullmatch(text)
    if match:
        if match["kind"] == "publicdomain":
            return {"zero": "cc0", "mark": "pdm"}.get(match["name"], match["name"])
        return f"cc-{match['name']}"
    text = re.sub(r"[\s_,/]+", "-", re.sub(r"[()]", " ", text).strip() or text)
    text = re.sub(r"-+", "-", text).strip("-.")
    for pattern, short in _WORDS:
        text = re.sub(pattern, short, text)
    return re.sub(r"-+", "-", text).strip("-")
