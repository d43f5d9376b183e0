"""One row of a shard from an annotation and its caption: a pure function."""

from collections.abc import Sequence
from typing import Any

from fgmcaps.pipeline.dataset.label_cells import caption_cells, label_cells
from fgmcaps.schemas import Annotation, Caption, ToolInfo, to_json
from fgmcaps.schemas.arrow import COLUMNS


def row_of(
    annotation: Annotation,
    caption: Caption,
    audio: bytes | None,
    audio_path: str | None,
    tools: Sequence[ToolInfo],
    kept: Sequence[str] = (),
) -> dict[str, Any]:
    """The row of one clip, with the keys of ``fgmcaps.schemas.arrow.COLUMNS`` in their order.

    ``audio`` is the encoded clip (policy *embed*), ``audio_path`` its file (policy *path*; with ``audio`` only a
    name). Both None is policy *none*: the column is null. ``tools`` made the labels; they are sorted by name, so that
    the order in which a profile lists them does not change the row. ``kept`` names columns of the user's.

    Raises ValueError when the caption is of another clip: that row would lie.
    """
    clip, labels = annotation.clip, annotation.labels
    track, metadata = clip.track, clip.track.metadata
    if caption.clip_id != clip.clip_id:
        raise ValueError(
            f"row {clip.clip_id}: got the caption of clip {caption.clip_id}; join captions to annotations by clip id"
        )
    cells = label_cells(labels, metadata, clip.flags, imported=caption.source == "imported")
    row = {
        "id": clip.clip_id,
        "audio": None if audio is None and audio_path is None else {"bytes": audio, "path": audio_path},
        **caption_cells(caption),
        "genre": list(metadata.genre),
        "mood": list(metadata.mood),
        "title": metadata.title,
        "artist": metadata.artist,
        "album": metadata.album,
        "source": track.source,
        "source_path": track.source_path,
        "track_id": track.track_id,
        "start_s": clip.start_s,
        "duration_s": clip.duration_s,
        "split": track.split,
        "licence": metadata.licence,
        "annotators": [
            {"name": tool.name, "version": tool.version, "licence": tool.licence}
            for tool in sorted(tools, key=lambda tool: (tool.name, tool.version))
        ],
        "raw": [
            {
                "annotator": estimate.annotator,
                "attribute": estimate.attribute,
                "confidence": estimate.confidence,
                "value": to_json(estimate.value),
            }
            for estimate in annotation.estimates
        ],
        **cells,
    }
    names = [*(column.name for column in COLUMNS), *kept]
    row |= {name: dict(metadata.kept).get(name) for name in kept}
    return {name: row[name] for name in names}
