"""A row back into the contracts that it was made of: the inverse of ``fgmcaps.pipeline.dataset.rows.row_of``."""

from fgmcaps.pipeline.formats.base import Row
from fgmcaps.schemas import Annotation, ChordSpan, Clip, Fused, Labels, Track, TrackMetadata, from_dict


def annotation_of_row(row: Row) -> Annotation:
    """The annotation of a row, without its raw estimates: a row does not keep their details.

    Nor does it keep the track's ``location`` and ``size``: they are the source path and 0 here.
    """
    metadata = TrackMetadata(
        title=row["title"],
        artist=row["artist"],
        album=row["album"],
        genre=tuple(row["genre"]),
        mood=tuple(row["mood"]),
        licence=row["licence"],
    )
    path = row["source_path"]
    track = Track(row["track_id"], path, row["source"], path, 0, row["split"], metadata)
    labels = Labels(
        tempo_bpm=row["tempo_bpm"],
        tempo_confidence=row["tempo_confidence"],
        beats=tuple(row["beats"]),
        downbeats=tuple(row["downbeats"]),
        beat_count=row["beat_count"],
        time_signature=row["time_signature"],
        meter_confidence=row["meter_confidence"],
        key=row["key"],
        key_confidence=row["key_confidence"],
        chords=tuple(ChordSpan(c["start"], c["end"], c["label"], c["confidence"]) for c in row["chords"]),
        chord_summary=tuple(row["chord_summary"]),
        chords_confidence=row["chords_confidence"],
        qc_flags=tuple(row["qc_flags"]),
        fused=None if row.get("fused") is None else from_dict(Fused, row["fused"]),
    )
    return Annotation(Clip(row["id"], row["start_s"], row["duration_s"], track), labels, ())
