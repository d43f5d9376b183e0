"""One name for each licence: SPDX identifiers of Creative Commons licences, and one key for the spellings of others.

Jamendo gives addresses, the Free Music Archive gives titles such as ``Attribution-NonCommercial-ShareAlike 3.0
International``. What is neither, or names no version, is kept as it is: a guess could free what is not free.
"""

import re

from fgmcaps.pipeline.licences.terms import ND, creative_commons, restrictions


def licence_name(text: str) -> str:
    """The SPDX identifier of a Creative Commons address, title or short name; any other text comes back trimmed."""
    text = " ".join(text.split())
    licence = creative_commons(text)
    if licence is None or licence.spdx is None or (ND in restrictions(text)) != (ND in licence.elements):
        return text
    return licence.spdx


def table_key(name: str) -> str:
    """A key for tables: lower case, one dash between words, without brackets around it, "the" and "licence"."""
    text = re.sub(r"[\s_,/()\[\]{}\"']+", "-", name.strip().lower())
    text = re.sub(r"^the-|-(?:public-)?licen[cs]e(?=-|$)", "", text.strip("-."))
    return re.sub(r"-+", "-", text).strip("-.")
