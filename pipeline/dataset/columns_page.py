"""``docs/dataset.md``: the columns as a page for people, generated from ``fgmcaps.schemas.arrow.COLUMNS``.

``python -m fgmcaps.pipeline.dataset.columns_page`` rewrites it; a test fails while the file is out of date.
"""

from pathlib import Path

import pyarrow as pa

from fgmcaps.schemas import CLIP_SAMPLE_RATE, CLIP_SECONDS, FGMCAPS_SCHEMA_VERSION
from fgmcaps.schemas.arrow import COLUMNS
from fgmcaps.schemas.harte import QUALITIES
from fgmcaps.schemas.meter import TIME_SIGNATURES
from fgmcaps.schemas.music import KEYS, TEMPO_MARKINGS

DOC_PATH = Path(__file__).parents[2] / "docs" / "dataset.md"

_HEAD = """\
# The FGMCaps dataset

Schema version {version}. This page is generated from `schemas/arrow.py` by
`python -m fgmcaps.pipeline.dataset.columns_page`.

## Files

| path | what it is |
|---|---|
| `data/{{split}}-SSSSS-of-NNNNN.parquet` | the rows, in ascending order of `id` inside a shard |
| `manifest.json` | written last: shards with rows, bytes and SHA-256, counts, settings, tools, fingerprint |
| `failures/failed.jsonl`, `failures/filtered.jsonl` | what did not become a row, one clip a line, with its reason |
| `failures/duplicates.jsonl` | files that hold what another file holds, and which |
| `README.md` | the dataset card |
| `report.html` | a page to look at and listen to: histograms and a sample of clips, in one file |

A build that replaces a dataset (new files, `--replace`, `--retry-failed`) puts its shards into a folder of their own,
`data/HASH/`, which the card and the manifest name: at every moment a reader gets the old dataset or the new one. Take
the paths from `manifest.json`, or let `load_dataset` take them from the card.

A folder without `manifest.json` is an unfinished build. `rows + failed + filtered = clips found`, always.

## A row

A row is a clip of {seconds:g} s, {rate} Hz, mono. Times are seconds from the clip's start.

| column | type | meaning |
|---|---|---|
"""

_TAIL = """
A value that the confidence filter rejects is null (a list is empty), its confidence stays, and `qc_flags` says why. The
caption states every value that is not null and none that is. A caption with `caption_source` `imported` came with
another dataset (`fgmcaps import`): it is kept word for word and has not been checked against the row.

## Vocabulary

- **Keys** ({key_count}): {keys}.
- **Tempo markings**: {markings}.
- **Time signatures**: {signatures}.
- **Chords**: Harte labels, `ROOT:QUALITY(DEGREES)/BASS`, `N` where no chord sounds, `X` where it is unknown.
  Qualities: {qualities}.

## Reading it

```python
from datasets import load_dataset

dataset = load_dataset("OUT")                                                            # the folder of a build
dataset = load_dataset("parquet", data_files={{"train": "OUT/data/**/train-*.parquet"}})    # the same without the card
```

`datasets` decodes audio with torchcodec. Without it, read the bytes:

```python
import io
import soundfile
from datasets import Audio

dataset = dataset.cast_column("audio", Audio(decode=False))
samples, rate = soundfile.read(io.BytesIO(dataset["train"][0]["audio"]["bytes"]))
```
"""


def dataset_doc() -> str:
    """The page's text."""
    head = _HEAD.format(version=FGMCAPS_SCHEMA_VERSION, seconds=CLIP_SECONDS, rate=f"{CLIP_SAMPLE_RATE:,}")
    rows = "".join(f"| `{c.name}` | `{type_name(c.type)}` | {c.meaning} |\n" for c in COLUMNS)
    return (
        head
        + rows
        + _TAIL.format(
            key_count=len(KEYS),
            keys=", ".join(KEYS),
            markings=", ".join(_marking_ranges()),
            signatures=", ".join(f"`{name}`" for name in TIME_SIGNATURES),
            qualities=", ".join(f"`{name}`" for name in QUALITIES),
        )
    )


def type_name(kind: pa.DataType) -> str:
    """A short name of an Arrow type: ``float64``, ``list[string]``, ``{start: float64, label: string}``."""
    if pa.types.is_list(kind):
        return f"list[{type_name(kind.value_type)}]"
    if pa.types.is_struct(kind):
        return "{" + ", ".join(f"{field.name}: {type_name(field.type)}" for field in kind) + "}"
    return {"double": "float64"}.get(str(kind), str(kind))


def _marking_ranges() -> list[str]:
    lows = [0.0, *(bound for bound, _ in TEMPO_MARKINGS)]
    return [
        f"{word} (from {low:g} BPM)"
        if bound == float("inf")
        else f"{word} (below {bound:g} BPM)"
        if low == 0
        else f"{word} ({low:g} to {bound:g})"
        for low, (bound, word) in zip(lows, TEMPO_MARKINGS, strict=False)
    ]


if __name__ == "__main__":
    DOC_PATH.write_text(dataset_doc(), encoding="utf-8")
