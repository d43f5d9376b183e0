"""The dataset card: ``README.md`` with the YAML that the Hub and ``load_dataset`` read, and what a user needs to know.

A pure function of the manifest, the statistics and one row: no clock, so that equal datasets have equal cards.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import pyarrow.parquet as pq
import yaml

from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline.dataset.columns_page import type_name
from fgmcaps.pipeline.dataset.coverage import Coverage, coverage, coverage_lines
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import LIGHT_COLUMNS, iter_rows
from fgmcaps.pipeline.dataset.shards import shards_folder
from fgmcaps.pipeline.dataset.stats import Stats, collect_stats
from fgmcaps.schemas import Manifest, ToolInfo
from fgmcaps.schemas.arrow import columns_of, features_of

CARD_NAME = "README.md"
PRETTY_NAME = "FGMCaps"
TAGS = (
    "music",
    "audio",
    "music-captioning",
    "music-information-retrieval",
    "tempo",
    "meter",
    "key",
    "chords",
    "fgmcaps",
)
OWN_SECTION = ("captioning", "label_filter")
"""Parts of a manifest's configuration that the card shows elsewhere than among the settings."""
TASKS = ("text-to-audio", "audio-text-to-text", "text-retrieval")

# Licence names as users write them (lower case, separators as one dash) -> the Hub's identifiers.
_HUB_LICENCES = {
    **{name: name for name in ("mit", "apache-2.0", "cc0-1.0", "cc-by-4.0", "cc-by-sa-4.0", "cc-by-nc-4.0")},
    **{name: name for name in ("cc-by-nc-sa-4.0", "cc-by-nd-4.0", "cc-by-nc-nd-4.0", "cc-by-3.0", "cc-by-sa-3.0")},
    "cc0": "cc0-1.0",
    "apache": "apache-2.0",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration, as in ``load_dataset(repository, name)``.

    ``features`` are its ``datasets.Features``, ``files`` the pattern of each split's files in ``folder``, ``sizes`` as
    of :func:`split_sizes`, ``download_bytes`` the size of its files, ``about`` one line for people.
    """

    name: str
    folder: str
    features: Mapping[str, Any]
    files: dict[str, str]
    sizes: dict[str, tuple[int, int]]
    download_bytes: int
    about: str
    default: bool = False


@dataclass(frozen=True, slots=True)
class PublishedCard:
    """What the card of a published dataset says in addition.

    ``withheld`` counts the rows whose audio was not published, by licence (``""``: none given); ``plots`` are pairs of
    path and caption; ``citation`` is BibTeX.
    """

    repo_id: str
    configurations: tuple[Configuration, ...]
    audio_rows: int
    withheld: dict[str, int]
    assumed_licence: str | None
    plots: tuple[tuple[str, str], ...]
    citation: str


def write_card(out_dir: Path, stats: Stats | None = None, *, pretty_name: str = PRETTY_NAME) -> Path:
    """Write ``README.md`` of a finished dataset. ``stats``, where they are known, save a pass over the shards."""
    manifest = read_manifest(out_dir)
    stats = collect_stats(out_dir) if stats is None else stats
    row = next((row for _, row in iter_rows(out_dir, manifest)), None)
    path = Path(out_dir) / CARD_NAME
    sizes = split_sizes(Path(out_dir), manifest)
    found = coverage(Path(out_dir), manifest)
    text = card_text(manifest, stats, sizes, row, pretty_name=pretty_name, kept=found)
    write_atomically(path, text.encode("utf-8"))
    return path


def split_sizes(out_dir: Path, manifest: Manifest) -> dict[str, tuple[int, int]]:
    """``{split: (rows, bytes uncompressed)}`` from the shards' footers, splits in the order of the manifest."""
    sizes: dict[str, tuple[int, int]] = {}
    for shard in manifest.shards:
        footer = pq.read_metadata(Path(out_dir) / shard.path)
        loose = sum(footer.row_group(i).total_byte_size for i in range(footer.num_row_groups))
        rows, total = sizes.get(shard.split, (0, 0))
        sizes[shard.split] = rows + shard.rows, total + loose
    return {split: size for split, size in sizes.items() if size[0]}


def card_text(
    manifest: Manifest,
    stats: Stats,
    sizes: dict[str, tuple[int, int]],
    row: dict[str, Any] | None,
    *,
    pretty_name: str = PRETTY_NAME,
    published: PublishedCard | None = None,
    kept: Coverage | None = None,
) -> str:
    """The card's text; ``sizes`` as of :func:`split_sizes`, ``row`` the example (None for an empty dataset).

    ``published`` adds the configurations, plots, published audio and citation of a repository on the Hub, ``kept``
    what other filters would keep.
    """
    environment = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters |= {"cell": _cell, "type_name": type_name, "share": _share}
    template = environment.from_string(
        resources.files("fgmcaps.pipeline.dataset").joinpath("templates/card.md.j2").read_text(encoding="utf-8")
    )
    settings = {k: v for k, v in manifest.config.items() if k not in OWN_SECTION}
    return template.render(
        front_matter=front_matter(
            manifest,
            stats,
            sizes,
            pretty_name=pretty_name,
            configurations=published.configurations if published else (),
        ),
        published=published,
        location=published.repo_id if published else "PATH_OR_REPOSITORY",
        pretty_name=pretty_name,
        manifest=manifest,
        config=yaml.safe_dump(settings, sort_keys=True, allow_unicode=True).strip(),
        stats=stats,
        sizes=sizes,
        columns=columns_of(manifest),
        coverage=[] if kept is None else list(coverage_lines(kept)),
        null_rates=stats.null_rates,
        tools=[(tool, restrictions(tool)) for tool in manifest.tools],
        example=None if row is None else json.dumps(_example(row), indent=2, ensure_ascii=False),
    )


def front_matter(
    manifest: Manifest,
    stats: Stats,
    sizes: dict[str, tuple[int, int]],
    *,
    pretty_name: str = PRETTY_NAME,
    configurations: Sequence[Configuration] = (),
) -> str:
    """The YAML block between the dashes, with ``configs`` and ``dataset_info`` as ``datasets`` itself writes them.

    Without ``configurations`` there is one, ``default``: the shards of the folder.
    """
    from datasets import DatasetInfo, Features, SplitDict, SplitInfo
    from datasets.info import DatasetInfosDict
    from huggingface_hub import DatasetCardData

    configurations = configurations or (shard_configuration(manifest, sizes),)
    infos = {
        each.name: DatasetInfo(
            features=Features(each.features),
            splits=SplitDict({name: SplitInfo(name, size, rows) for name, (rows, size) in each.sizes.items()}),
            download_size=each.download_bytes,
            dataset_size=sum(size for _, size in each.sizes.values()),
        )
        for each in configurations
    }
    data: Any = DatasetCardData()
    DatasetInfosDict(infos).to_dataset_card_data(data)
    head: dict[str, Any] = {
        "pretty_name": pretty_name,
        "language": ["en"],
        **hub_licence(stats),
        "size_categories": [size_category(stats.rows)],
        "task_categories": list(TASKS),
        "tags": list(TAGS),
        "configs": [
            {
                "config_name": each.name,
                "data_files": [{"split": split, "path": path} for split, path in each.files.items()],
                **({"default": True} if each.default else {}),
            }
            for each in configurations
        ],
        "dataset_info": data.to_dict()["dataset_info"],
    }
    return yaml.safe_dump(head, sort_keys=False, allow_unicode=True, width=1000).strip()


def shard_configuration(
    manifest: Manifest, sizes: dict[str, tuple[int, int]], name: str = "default", *, default: bool = False
) -> Configuration:
    """The configuration of the shards themselves."""
    folder = shards_folder(manifest.shards)
    return Configuration(
        name=name,
        folder=folder,
        features=features_of(manifest),
        files={split: f"{folder}/{split}-*.parquet" for split in sizes},
        sizes=sizes,
        download_bytes=sum(shard.bytes for shard in manifest.shards),
        about="all columns, with audio",
        default=default,
    )


def size_category(rows: int) -> str:
    """The Hub's size class of a number of rows, e.g. ``1K<n<10K``."""
    bounds = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
    return next((name for bound, name in bounds if rows < bound), "10M<n<100M")


def restrictions(tool: ToolInfo) -> tuple[str, ...]:
    """Restrictions in a tool's licence: ``non-commercial``, ``AGPL``; empty where there are none."""
    found = []
    if re.search(r"\bNC\b|non-?commercial", tool.licence, re.IGNORECASE):
        found.append("non-commercial")
    if re.search(r"AGPL|Affero", tool.licence, re.IGNORECASE):
        found.append("AGPL")
    return tuple(found)


def hub_licence(stats: Stats) -> dict[str, str]:
    """One licence for the Hub where every row carries the same known one, else ``other`` with a pointer."""
    names = {_HUB_LICENCES.get(re.sub(r"[\s_-]+", "-", name.strip().lower()), "other") for name in stats.licence}
    if len(names) == 1 and names != {"other"} and not stats.null_rates["licence"]:
        return {"license": names.pop()}
    return {"license": "other", "license_name": "see-licence-column", "license_link": "README.md#licences"}


def _example(row: dict[str, Any]) -> dict[str, Any]:
    """The row with long lists cut, audio left out: for people."""
    out = {name: row[name] for name in LIGHT_COLUMNS}
    return {
        name: [*value[:4], f"... {len(value) - 4} more"] if isinstance(value, list) and len(value) > 6 else value
        for name, value in out.items()
    }


def _cell(value: Any) -> str:
    """Text of a user or tool, harmless inside a Markdown table."""
    text = " ".join(str(value).split())
    return re.sub(r"([\\`*_{}\[\]<>|#])", r"\\\1", text)


def _share(value: float) -> str:
    return f"{100 * value:.1f} %"
