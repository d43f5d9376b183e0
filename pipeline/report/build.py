"""Put the report together: statistics and a sample of clips into one self-contained page."""

import base64
import hashlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import jinja2
import markupsafe
import yaml

from fgmcaps.common.files import write_atomically
from fgmcaps.pipeline.dataset.card import restrictions
from fgmcaps.pipeline.dataset.coverage import coverage, coverage_lines
from fgmcaps.pipeline.dataset.failures import read_failures
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.stats import Histogram, Stats, collect_stats
from fgmcaps.pipeline.report.all_clips import all_clips
from fgmcaps.pipeline.report.clips import fifths_order, pretty_chord, sample_clips

REPORT_NAME = "report.html"
MAX_LETTERS = 50


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a histogram: height in percent of the highest, text for the pointer."""

    height: float
    title: str
    label: str = ""


def write_report(out_dir: Path, sample: int = 12, seed: int = 0, *, stats: Stats | None = None) -> Path:
    """Write ``report.html`` of a finished dataset, with ``sample`` clips chosen by ``seed``.

    ``stats``, where they are known, save a pass over the shards. Raises ManifestError, ShardError, ValueError.
    """
    if sample < 0:
        raise ValueError(f"sample must be 0 or more, got {sample}")
    manifest = read_manifest(out_dir)
    stats = collect_stats(out_dir) if stats is None else stats
    path = Path(out_dir) / REPORT_NAME
    found = coverage(Path(out_dir), manifest)
    script, style = _asset("report.js"), _asset("report.css")
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "columns": histogram_columns,
        "ticks": ticks,
        "chord": pretty_chord,
        "n": lambda n: f"{n:,}",
    }
    page = environment.from_string(_asset("report.html.j2")).render(
        # Titles and captions come from outside. They are escaped; and if an escape were ever missed, the page may run
        # no script but this one and load nothing from anywhere.
        policy=_content_policy(script),
        script=markupsafe.Markup(script),
        style=markupsafe.Markup(style),
        stats=stats,
        kept=100 * stats.rows / stats.clips_found if stats.clips_found else 0.0,
        keys={
            mode: count_columns(fifths_order(stats.key, mode), max(stats.key.values(), default=1)) for mode in _MODES
        },
        manifest=manifest,
        config=yaml.safe_dump(manifest.config, sort_keys=True, allow_unicode=True).strip(),
        tools=[(tool, restrictions(tool)) for tool in manifest.tools],
        letters=list(itertools.islice(read_failures(out_dir), MAX_LETTERS)),
        clips=sample_clips(Path(out_dir), manifest, sample, seed),
        lines=all_clips(Path(out_dir), manifest),
        coverage=[] if found is None else list(coverage_lines(found)),
        folder=Path(out_dir).name,
    )
    write_atomically(path, page.encode("utf-8", "replace"))
    return path


_MODES = ("major", "minor")


def histogram_columns(histogram: Histogram, unit: str = "") -> list[Column]:
    """The bins of a histogram; values outside its edges are counted in its first and last bin."""
    counts = list(histogram.counts)
    counts[0] += histogram.below
    counts[-1] += histogram.above
    top = max(counts) or 1
    return [
        Column(round(100 * count / top, 2), f"{low:g} to {high:g}{unit}: {count:,} clips")
        for low, high, count in zip(histogram.edges[:-1], histogram.edges[1:], counts, strict=True)
    ]


def ticks(histogram: Histogram, step: float) -> list[tuple[float, str]]:
    """``(left in percent, text)`` at the multiples of ``step`` inside the edges."""
    low, high = histogram.edges[0], histogram.edges[-1]
    first = -(-low // step) * step
    count = int((high - first) / step + 1e-9) + 1
    values = [first + i * step for i in range(count)]
    return [(round(100 * (value - low) / (high - low), 2), f"{value:g}") for value in values]


def count_columns(counts: Sequence[tuple[str, int]], top: int) -> list[Column]:
    """Columns of named counts, on a scale whose full height is ``top``."""
    return [Column(round(100 * count / (top or 1), 2), f"{name}: {count:,} clips", name) for name, count in counts]


def _asset(name: str) -> str:
    return resources.files("fgmcaps.pipeline.report").joinpath(name).read_text(encoding="utf-8")


def _content_policy(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    rules: dict[str, Any] = {
        "default-src": "'none'",
        "script-src": f"'sha256-{digest}'",
        "style-src": "'unsafe-inline'",
        "media-src": "data:",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())
