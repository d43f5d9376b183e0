"""The manifest of a build: counts, settings, tools and shards."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fgmcaps.annotators.fusion.fusion_model import filter_table
from fgmcaps.captioning.prompts.prompt import load_prompt, prompt_text
from fgmcaps.pipeline.build.build import Build
from fgmcaps.pipeline.build.track_plan import Plan
from fgmcaps.pipeline.stages.shard_plan import RowRef
from fgmcaps.pipeline.stages.styles import styles_of
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, Counts, DeadLetter, Manifest, ShardFile


def manifest_of(
    build: Build, shards: tuple[ShardFile, ...], rows: Sequence[RowRef], letters: Sequence[DeadLetter]
) -> Manifest:
    """The manifest of ``shards``; ``rows`` were to be written, ``letters`` are all that did not become rows."""
    config = {
        **build.config.public(),
        "profile_settings": build.profile.settings.model_dump(mode="json"),
        **_filter(build),
        **_captioning(build, rows),
    }
    counts = _counts(build.spec.plan, sum(shard.rows for shard in shards), letters)
    return Manifest(FGMCAPS_SCHEMA_VERSION, build.fingerprint, config, counts, shards, build.tools)


def _filter(build: Build) -> dict[str, Any]:
    """What the confidence filter asked of the labels, where their confidences are probabilities."""
    table = filter_table(build.profile.fusion)
    return {"label_filter": table} if table else {}


def _captioning(build: Build, rows: Sequence[RowRef]) -> dict[str, Any]:
    """Prompts and the reasons of rejected answers, where an LLM wrote captions."""
    if build.config.captioner == "template":
        return {}
    rejected = Counter(verdict.rule for row in rows for verdict in row.caption.read().rejected)
    prompts = {load_prompt(style).version: prompt_text(style) for style in styles_of(build.config)}
    return {"captioning": {"prompts": prompts, "rejected": dict(rejected.most_common())}}


def _counts(plan: Plan, rows: int, letters: Sequence[DeadLetter]) -> Counts:
    reasons = {kind: Counter(x.reason for x in letters if x.kind == kind) for kind in ("failed", "filtered")}
    failed, filtered = (sum(reasons[kind].values()) for kind in ("failed", "filtered"))
    return Counts(
        files=plan.files,
        duplicates=len(plan.duplicates),
        tracks=len(plan.tracks) + len(plan.letters),
        clips_found=rows + failed + filtered,
        rows=rows,
        failed=failed,
        filtered=filtered,
        failed_by_reason=dict(sorted(reasons["failed"].items())),
        filtered_by_reason=dict(sorted(reasons["filtered"].items())),
    )
