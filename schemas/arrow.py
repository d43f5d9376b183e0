"""The FGMCaps row as Arrow: the one place that names the columns, their types and what they mean.

A dataset may have columns of its user's own after these (``kept``), all of them text.

``docs/dataset.md`` and the dataset card are checked against ``COLUMNS``.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from fgmcaps.schemas.clip import CLIP_SAMPLE_RATE
from fgmcaps.schemas.manifest import Manifest
from fgmcaps.schemas.version import FGMCAPS_SCHEMA_VERSION

if TYPE_CHECKING:
    import datasets

SCHEMA_VERSION_KEY = b"fgmcaps_schema_version"

_STR, _F64, _I32 = pa.string(), pa.float64(), pa.int32()
_AUDIO = pa.struct([("bytes", pa.binary()), ("path", _STR)])
_CHORDS = pa.list_(pa.struct([("start", _F64), ("end", _F64), ("label", _STR), ("confidence", _F64)]))
_CAPTIONS = pa.list_(pa.struct([("style", _STR), ("text", _STR)]))
_TOOLS = pa.list_(pa.struct([("name", _STR), ("version", _STR), ("licence", _STR)]))
_FUSED = pa.struct(
    [
        ("tempo_bpm", _F64),
        ("tempo_probability", _F64),
        ("tempo_alternatives", pa.list_(pa.struct([("bpm", _F64), ("probability", _F64)]))),
        ("beats", pa.list_(_F64)),
        ("downbeats", pa.list_(_F64)),
        ("downbeats_probability", _F64),
        ("time_signature", _STR),
        ("meter_probability", _F64),
        ("meter_alternatives", pa.list_(pa.struct([("value", _STR), ("probability", _F64)]))),
        ("key", _STR),
        ("key_probability", _F64),
        ("key_alternatives", pa.list_(pa.struct([("value", _STR), ("probability", _F64)]))),
        ("chords", _CHORDS),
        ("chords_probability", _F64),
        ("findings", pa.list_(_STR)),
    ]
)
_RAW = pa.list_(pa.struct([("annotator", _STR), ("attribute", _STR), ("confidence", _F64), ("value", _STR)]))


@dataclass(frozen=True, slots=True)
class Column:
    """A column: name, Arrow type, one line for people."""

    name: str
    type: pa.DataType
    meaning: str


COLUMNS: tuple[Column, ...] = (
    Column("id", _STR, "clip id: track id + start in ms"),
    Column("audio", _AUDIO, "24 kHz mono FLAC of the clip (bytes), or a path, or null, by the audio policy"),
    Column("caption", _STR, "the caption; checked against the row unless `caption_source` is `imported`"),
    Column("caption_style", _STR, "style of `caption`"),
    Column("caption_source", _STR, "`llm`, `template`, or `imported` from another dataset"),
    Column("caption_model", _STR, "model that wrote it; empty for the template"),
    Column("prompt_version", _STR, "version of the prompt or template grammar; the source of an imported caption"),
    Column("captions", _CAPTIONS, "the same facts in other styles; other captions of an imported clip"),
    Column("tempo_bpm", _F64, "tempo in beats per minute; null if not trusted"),
    Column("tempo_marking", _STR, "Italian tempo word of the rounded tempo"),
    Column("tempo_confidence", _F64, "confidence in the tempo, 0 to 1"),
    Column("beats", pa.list_(_F64), "beat times in seconds from the clip's start"),
    Column("downbeats", pa.list_(_F64), "times of the first beat of each bar, seconds"),
    Column("beat_count", _I32, "felt beats in a bar (2 in 6/8); null if not trusted"),
    Column("time_signature", _STR, "e.g. `4/4`; null if not trusted"),
    Column("meter_confidence", _F64, "confidence in the meter, 0 to 1"),
    Column("key", _STR, "e.g. `F# minor`; null if not trusted"),
    Column("key_confidence", _F64, "confidence in the key, 0 to 1"),
    Column("chords", _CHORDS, "Harte labels with start and end in seconds; empty if not trusted"),
    Column("chord_summary", pa.list_(_STR), "the progression without repeats; empty if not trusted"),
    Column("chords_confidence", _F64, "confidence in the chords, 0 to 1"),
    Column("genre", pa.list_(_STR), "from the user's metadata"),
    Column("mood", pa.list_(_STR), "from the user's metadata"),
    Column("title", _STR, "from the user's metadata"),
    Column("artist", _STR, "from the user's metadata"),
    Column("album", _STR, "from the user's metadata"),
    Column("source", _STR, "name of the corpus"),
    Column("source_path", _STR, "file of the track, relative to the corpus"),
    Column("track_id", _STR, "first 16 hex digits of the SHA-256 of the file"),
    Column("start_s", _F64, "start of the clip in the track, seconds"),
    Column("duration_s", _F64, "length of the clip, seconds"),
    Column("split", _STR, "train, validation or test; all clips of a track share it"),
    Column("licence", _STR, "licence of the recording as the user gave it"),
    Column("annotators", _TOOLS, "tools that made the labels, with version and licence"),
    Column("qc_flags", pa.list_(_STR), "`attribute:reason` for every value that was withheld"),
    Column("fused", _FUSED, "what there was before the filter: every value, its probability, alternatives"),
    Column("raw", _RAW, "every tool's own estimate before fusion (value as JSON), to filter anew"),
)


def columns_with(kept: Sequence[str] = (), version: str = FGMCAPS_SCHEMA_VERSION) -> tuple[Column, ...]:
    """The columns of a dataset of a schema version that carries the user's own columns ``kept``."""
    ours = [column for column in COLUMNS if column.name != "fused" or not version.startswith("1.")]
    return (*ours, *(Column(name, _STR, "the user's own column, as given") for name in kept))


def columns_of(manifest: Manifest) -> tuple[Column, ...]:
    """The columns of a dataset's shards."""
    return columns_with(manifest.kept_columns, manifest.schema_version)


def schema_of(manifest: Manifest) -> pa.Schema:
    """The Arrow schema of a dataset's shards."""
    return arrow_schema(manifest.kept_columns, manifest.schema_version)


def features_of(manifest: Manifest) -> "datasets.Features":
    """The columns of a dataset's shards as ``datasets.Features``."""
    return features(manifest.kept_columns, manifest.schema_version)


def features(kept: Sequence[str] = (), version: str = FGMCAPS_SCHEMA_VERSION) -> "datasets.Features":
    """The same columns as ``datasets.Features`` (Audio stays undecoded until it is read)."""
    import datasets

    built = datasets.Features.from_arrow_schema(pa.schema([(c.name, c.type) for c in columns_with(kept, version)]))
    built["audio"] = datasets.Audio(sampling_rate=CLIP_SAMPLE_RATE)
    return built


def _huggingface_metadata(columns: Sequence[Column]) -> dict[str, Any]:
    """The ``huggingface`` entry of the Arrow metadata, as ``datasets`` writes it, without importing ``datasets``."""

    def feature(kind: pa.DataType) -> Any:
        if pa.types.is_list(kind):
            return {"feature": feature(kind.value_type), "_type": "List"}
        if pa.types.is_struct(kind):
            return {field.name: feature(field.type) for field in kind}
        return {"dtype": {"double": "float64"}.get(str(kind), str(kind)), "_type": "Value"}

    out = {c.name: feature(c.type) for c in columns}
    out["audio"] = {"sampling_rate": CLIP_SAMPLE_RATE, "_type": "Audio"}
    return {"info": {"features": out}}


def arrow_schema(kept: Sequence[str] = (), version: str = FGMCAPS_SCHEMA_VERSION) -> pa.Schema:
    """The Arrow schema of a shard, with the schema version and the ``datasets`` features in its metadata."""
    columns = columns_with(kept, version)
    metadata = {
        SCHEMA_VERSION_KEY: version.encode(),
        b"huggingface": json.dumps(_huggingface_metadata(columns), sort_keys=True).encode(),
    }
    return pa.schema([(c.name, c.type) for c in columns], metadata=metadata)
