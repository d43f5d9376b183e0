"""The model card that every training writes."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from fgmcaps.common.files import write_atomically
from fgmcaps.training.model.config import EncoderRecord, ModelConfig

USE = """```python
from fgmcaps.training import Figma

figma = Figma.from_pretrained("user/model")  # or the folder
texts = figma.encode_text(["F minor, 143 BPM, 3/4"])
clips = figma.encode_audio(["song.mp3"])
scores = figma.similarity(texts, clips, view="fused")
```

```sh
figma eval MODEL DATA                              # recall with intervals
figma search MODEL DATA "F minor, 143 BPM, 3/4"
```"""


def write_card(path: Path, config: ModelConfig, metrics: Mapping[str, Any]) -> None:
    """README.md with the metadata that the Hub reads."""
    write_atomically(path, card(config, metrics).encode())


def licence_of(config: ModelConfig) -> str:
    """Licence of the heads, as the Hub names it: the strictest of what they were trained on and with.

    Apache-2.0, unless an encoder's weights or a tool that made the labels forbid commercial use; of those that also ask
    to share alike, that too.
    """
    terms = [set(re.split(r"[-\s]+", licence.lower())) for licence in _licences(config).values()]
    strict = [term for term in terms if "nc" in term]
    if not strict:
        return "apache-2.0"
    return "cc-by-nc-sa-4.0" if any("sa" in term for term in strict) else "cc-by-nc-4.0"


def _licences(config: ModelConfig) -> dict[str, str]:
    encoders = {record.name: record.licence for record in (config.audio_encoder, config.text_encoder)}
    return {**config.label_licences, **encoders}


def card(config: ModelConfig, metrics: Mapping[str, Any]) -> str:
    """The text of the card."""
    front = {
        "license": licence_of(config),
        "library_name": "fgmcaps",
        "pipeline_tag": "feature-extraction",
        "tags": ["music", "text-to-music-retrieval", "figma", config.audio_encoder.name, config.text_encoder.name],
    }
    data, found = metrics["data"], metrics["validation"]
    settings = metrics["settings"]
    parts = [
        f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n",
        "# FIGMA: music retrieval by text\n",
        "Two projection heads over frozen encoders, trained on music clips and captions that state tempo, meter, key "
        "and chords (*FIGMA: Towards Fine-Grained Music Retrieval*, arXiv 2606.06615).\n",
        "## Encoders\n",
        "| | encoder | revision | width | licence |\n|---|---|---|---|---|",
        _encoder_row("audio", config.audio_encoder),
        _encoder_row("text", config.text_encoder) + "\n",
        "The heads are used with these encoders only, and their licences hold.\n",
        *_label_tools(config),
        "## Training\n",
        f"- {data['train_clips']:,} clips of {data['train_tracks']:,} tracks; features `{data['features'][:16]}`",
        f"- {metrics['epochs']} epochs, the weights of epoch {metrics['best_epoch']} kept (best {metrics['monitor']})",
        f"- alpha {settings['alpha']}, temperature {config.temperature:.4g}, batch {settings['batch']}, negatives: "
        f"{settings['negatives']}, learning rate {settings['learning_rate']:g}, seed {settings['seed']}; all settings "
        "are in `metrics.json`\n",
        "## Validation\n",
        _metrics_table(found, data["validation_clips"]),
        "![Losses and recall by epoch](curves.png)\n",
        "## Use\n",
        USE,
    ]
    return "\n".join(parts) + "\n"


def _label_tools(config: ModelConfig) -> list[str]:
    """Which tools made the labels that the captions state; a licence may reach to what is trained on them."""
    if not config.label_licences:
        return []
    rows = [f"| {name} | {licence or 'not stated'} |" for name, licence in config.label_licences.items()]
    return ["The captions state labels made by these tools:\n", "| tool | licence |\n|---|---|", *rows, ""]


def _encoder_row(kind: str, record: EncoderRecord) -> str:
    return f"| {kind} | {record.name} | `{record.revision}` | {record.dim} | {record.licence or 'not stated'} |"


def _metrics_table(found: Mapping[str, float], clips: int) -> str:
    if not found:
        return "The data has no validation split of two clips or more; nothing was measured.\n"
    cutoffs = [k for k in (1, 5, 10, 20) if f"global/t2a/R@{k}" in found]
    head = f"| {clips:,} clips | " + " | ".join(f"{d} R@{k}" for d in ("T2A", "A2T") for k in cutoffs) + " |"
    lines = [head, "|---" * (1 + 2 * len(cutoffs)) + "|"]
    for view in ("global", "frame", "fused"):
        cells = [found.get(f"{view}/{d}/R@{k}") for d in ("t2a", "a2t") for k in cutoffs]
        lines.append(f"| {view} | " + " | ".join("-" if c is None else f"{c:.1%}" for c in cells) + " |")
    return "\n".join(lines) + "\n"
