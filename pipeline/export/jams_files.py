"""JAMS: one ``.jams`` a clip, and its ``.flac`` beside it.

Layout: ``{split}/{first two digits of the id}/{id}.jams``, so that no folder grows beyond what file systems like. The
caption and what JAMS has no namespace for are in the file's ``sandbox``. Without embedded audio only the ``.jams``.
"""

import json
from pathlib import Path

from fgmcaps.pipeline.export.base import ExportFormat, Row, Shards, embedded
from fgmcaps.pipeline.export.from_row import annotation_of_row
from fgmcaps.pipeline.formats.jams import jams_of
from fgmcaps.schemas import Manifest, ToolInfo

_IN_SANDBOX = (
    *("caption", "caption_style", "caption_source", "caption_model", "prompt_version", "captions"),
    *("chord_summary", "genre", "mood", "licence", "split", "track_id"),
)


def write_jams(folder: Path, shards: Shards, manifest: Manifest) -> None:
    """See the module."""
    for shard, rows in shards:
        for row in rows:
            place = folder / shard.split / row["id"][:2]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{row['id']}.jams").write_text(jams_text(row), encoding="utf-8")
            audio = embedded(row)
            if audio is not None:
                (place / f"{row['id']}.flac").write_bytes(audio)


def jams_text(row: Row) -> str:
    """The JAMS document of a row as JSON."""
    tools = [ToolInfo(tool["name"], tool["version"], tool["licence"]) for tool in row["annotators"]]
    document = jams_of(annotation_of_row(row), tools)
    document["sandbox"] |= {name: row[name] for name in _IN_SANDBOX}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


JAMS = ExportFormat("jams", "one .jams and one .flac a clip", "optional", write_jams)
