"""Creative Commons licences by one name: SPDX's, as ``CC-BY-NC-SA-3.0``.

Jamendo gives addresses, the Free Music Archive gives titles such as ``Attribution-NonCommercial-ShareAlike 3.0
International``. What is neither, or names no version, is kept as it is: a guess could free what is not free.
"""

import re

_ADDRESS = re.compile(r"https?://(?:www\.)?creativecommons\.org/(licenses|publicdomain)/([a-z-]+)/(\d\.\d)(?:/.*)?")
_ELEMENTS = ("by", "nc", "nd", "sa")


def licence_name(text: str) -> str:
    """The SPDX identifier of a Creative Commons address or title; any other text comes back trimmed."""
    text = " ".join(text.split())
    match = _ADDRESS.fullmatch(text)
    if match is not None:
        kind, name, version = match.groups()
        if kind == "licenses" and set(name.split("-")) <= set(_ELEMENTS):
            return f"CC-{name.upper()}-{version}"
        return f"CC0-{version}" if (kind, name) == ("publicdomain", "zero") else text
    words = re.sub(r"[^a-z0-9.]+", "", text.lower())
    version = re.search(r"\d\.\d", text)
    if re.match(r"cc0|creativecommonszero", words) and version:
        return f"CC0-{version[0]}"
    if version is None or not re.match(r"(?:creativecommons)?attribution", words):
        return text
    said = {
        "by": True,
        "nc": "noncommercial" in words,
        "nd": "noderiv" in words,
        "sa": "sharealike" in words,
    }
    return "CC-" + "-".join(e.upper() for e in _ELEMENTS if said[e]) + f"-{version[0]}"
