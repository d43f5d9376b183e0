"""The data contracts of FGMCaps: what flows between the rooms. Imports nothing of ours.

Frozen dataclasses go in and out of JSON through :func:`to_json` and :func:`from_json`; rows are the Arrow schema
of :mod:`fgmcaps.schemas.arrow`.
"""

from fgmcaps.schemas.annotation import Annotation, Labels
from fgmcaps.schemas.caption import Caption, StyledCaption, Verdict
from fgmcaps.schemas.clip import CLIP_SAMPLE_RATE, CLIP_SECONDS, Clip, Track, TrackMetadata
from fgmcaps.schemas.codec import ContractError, from_dict, from_json, to_dict, to_json
from fgmcaps.schemas.dead_letter import DeadLetter, Duplicate
from fgmcaps.schemas.estimate import BeatGrid, ChordSequence, ChordSpan, Estimate, Key, Tempo, ToolInfo
from fgmcaps.schemas.facts import Facts, facts_of
from fgmcaps.schemas.fused import Fused, NamedAlternative, TempoAlternative
from fgmcaps.schemas.manifest import Counts, Manifest, ShardFile
from fgmcaps.schemas.version import FGMCAPS_SCHEMA_VERSION

__all__ = [
    "CLIP_SAMPLE_RATE",
    "CLIP_SECONDS",
    "FGMCAPS_SCHEMA_VERSION",
    "Annotation",
    "BeatGrid",
    "Caption",
    "ChordSequence",
    "ChordSpan",
    "Clip",
    "ContractError",
    "Counts",
    "DeadLetter",
    "Duplicate",
    "Estimate",
    "Facts",
    "Fused",
    "Key",
    "Labels",
    "Manifest",
    "NamedAlternative",
    "ShardFile",
    "StyledCaption",
    "Tempo",
    "TempoAlternative",
    "ToolInfo",
    "Track",
    "TrackMetadata",
    "Verdict",
    "facts_of",
    "from_dict",
    "from_json",
    "to_dict",
    "to_json",
]
