"""Another filter from the shards alone gives the rows that a build with that filter gives."""

import dataclasses
import json
import random

import pytest
from click.testing import CliRunner

from fgmcaps.annotators import load_profile
from fgmcaps.annotators.fusion.fusion_model import filter_table
from fgmcaps.annotators.fusion.keep import keep
from fgmcaps.captioning import TemplateEngine, write_caption
from fgmcaps.common.errors import FgmcapsError, InvalidDataError
from fgmcaps.pipeline.build.output_folder import OutputFolder
from fgmcaps.pipeline.cli import main
from fgmcaps.pipeline.dataset.card import write_card
from fgmcaps.pipeline.dataset.coverage import coverage, with_precision
from fgmcaps.pipeline.dataset.failures import write_duplicates, write_failures
from fgmcaps.pipeline.dataset.manifest import read_manifest, write_manifest
from fgmcaps.pipeline.dataset.read import iter_shard
from fgmcaps.pipeline.dataset.rows import row_of
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.pipeline.labels.refilter import precision_of, refilter
from fgmcaps.pipeline.validation.validate import validate
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, Counts, Manifest, ToolInfo, facts_of
from fgmcaps.schemas.arrow import arrow_schema
from tests.factories import build_dataset, make_annotation, rows_by_shard

PROFILE = load_profile("best")
TOOLS = (ToolInfo("madmom-downbeat", "0.17", "BSD"),)
CLIPS = 40
STYLES = ("objective", "short")


def annotations(settings):
    """Clips whose probabilities are anything, with the labels that pass the filter."""
    rng = random.Random(0)
    for number in range(CLIPS):
        made = make_annotation(number, artist=None)
        names = ("tempo", "meter", "downbeats", "key", "chords")
        drawn = {f"{name}_probability": round(rng.uniform(0.4, 1), 4) for name in names}
        other = {f"{name}_alternatives": () for name in ("tempo", "meter", "key")}
        fused = dataclasses.replace(made.labels.fused, **drawn, **other)
        yield dataclasses.replace(made, labels=keep(fused, settings))


def built(out, *, kept=(), flags=(), **precision):
    """A dataset as a build with these precisions writes it."""
    overrides = {f"fusion.{name}.precision": value for name, value in precision.items()}
    profile = PROFILE.with_overrides(overrides)
    rows = []
    for annotation in annotations(profile.fusion):
        facts = facts_of(annotation.labels, annotation.clip.track.metadata)
        clip = dataclasses.replace(annotation.clip, flags=flags)
        caption = write_caption(TemplateEngine(seed=0), clip.clip_id, facts, STYLES)
        annotation = dataclasses.replace(annotation, clip=clip)
        rows.append(row_of(annotation, caption, None, None, TOOLS, kept) | dict.fromkeys(kept, "x"))
    schema = arrow_schema(kept)
    shards = tuple(write_shard(out, split, i, 2, mine, schema) for split, i, mine in rows_by_shard(rows, 2))
    write_failures(out, ())
    write_duplicates(out, ())
    config = {
        "profile_settings": profile.settings.model_dump(mode="json"),
        "label_filter": filter_table(profile.fusion),
        "seed": 0,
        **({"keep_columns": list(kept)} if kept else {}),
    }
    counts = Counts(CLIPS, 0, CLIPS, CLIPS, CLIPS, 0, 0)
    write_manifest(out, Manifest(FGMCAPS_SCHEMA_VERSION, "0" * 64, config, counts, shards, TOOLS))
    write_card(out)
    return out


def rows_of(out):
    manifest = read_manifest(out)
    names = arrow_schema(manifest.kept_columns).names
    return [row for shard in manifest.shards for row in iter_shard(out, shard, names)]


def files_of(out):
    return {p.relative_to(out): p.read_bytes() for p in out.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "asked", [{"key": 0.8}, {"tempo": 0.5, "meter": 0.5, "downbeats": 0.5}, {"chords": 0.98, "key": 0.0}]
)
def test_it_gives_what_a_build_with_that_filter_gives(tmp_path, asked):
    out, wanted = built(tmp_path / "out"), built(tmp_path / "wanted", **asked)
    before = rows_of(out)
    done = refilter(out, asked)
    assert rows_of(out) == rows_of(wanted) != before
    assert validate(out) == [] and done.changed > 0 and done.rows == CLIPS
    ours, theirs = read_manifest(out), read_manifest(wanted)
    assert ours.config["profile_settings"] == theirs.config["profile_settings"]
    assert ours.config["label_filter"] == theirs.config["label_filter"]
    assert ours.fingerprint != "0" * 64


def test_there_and_back_is_where_it_began(tmp_path):
    out = built(tmp_path / "out")
    before = rows_of(out)
    refilter(out, {"key": 0.8, "tempo": 0.98})
    refilter(out, {"key": 0.9, "tempo": 0.95})
    assert rows_of(out) == before and validate(out) == []


def test_the_same_filter_changes_no_byte(tmp_path):
    out = built(tmp_path / "out")
    before = files_of(out)
    assert refilter(out, {"key": 0.9}).changed == 0
    assert files_of(out) == before


def test_what_the_filter_does_not_decide_stays(tmp_path):
    """Columns of the user's own, and flags about the audio."""
    out = built(tmp_path / "out", kept=("year",), flags=("audio:truncated",))
    refilter(out, {"key": 0.8})
    assert all(row["year"] == "x" and "audio:truncated" in row["qc_flags"] for row in rows_of(out))
    assert validate(out) == []


def test_captions_of_an_llm_stay_where_their_facts_do(tmp_path):
    from fgmcaps.pipeline.labels.refilter import refiltered_row

    row = {**rows_of(built(tmp_path / "out"))[0], "caption_source": "llm", "caption": "Mine.", "caption_model": "m"}
    assert refiltered_row(row, PROFILE.fusion, 0, STYLES)["caption"] == "Mine."
    strict = PROFILE.with_overrides({f"fusion.{n}.precision": 0.98 for n in ("tempo", "meter", "chords")}).fusion
    loose = PROFILE.with_overrides({f"fusion.{n}.precision": 0.0 for n in ("tempo", "meter", "chords")}).fusion
    found = [refiltered_row(row, settings, 0, STYLES) for settings in (strict, loose)]
    assert any(new["caption_source"] == "template" and new["caption_model"] == "" for new in found)


def test_an_error_leaves_everything_as_it_was(tmp_path):
    out = built(tmp_path / "out")
    shard = next(out.glob("data/*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"\0")
    before = files_of(out)
    with pytest.raises(InvalidDataError, match="fgmcaps validate"):
        refilter(out, {"key": 0.8})
    assert {k: v for k, v in files_of(out).items() if k.name != ".lock"} == before


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["kye=0.8"], "no such attribute .did you mean 'key'"),
        (["key"], "write KEY=VALUE"),
        (["key=high"], "give a share from 0 to below 1"),
        (["key=1"], "give a share"),
        (["key=yes"], "give a share"),
        (["all=-0.1"], "give a share"),
    ],
)
def test_what_is_no_precision_is_said(texts, said):
    with pytest.raises(FgmcapsError, match=said):
        precision_of(texts)


def test_precisions_are_read_alone_and_together():
    assert precision_of(["key=0.8 tempo=0.9", "chords=0.5"]) == {"key": 0.8, "tempo": 0.9, "chords": 0.5}
    assert precision_of(["all=0.9", "key=0.5"]) == {
        "tempo": 0.9, "meter": 0.9, "downbeats": 0.9, "key": 0.5, "chords": 0.9,
    }  # fmt: skip


def test_datasets_that_cannot_be_filtered_say_why(tmp_path):
    build_dataset(tmp_path / "old", tracks=4, clips=1, version="1.0")
    with pytest.raises(FgmcapsError, match=r"schema version 1\.0 holds no probabilities"):
        refilter(tmp_path / "old", {"key": 0.8})
    build_dataset(tmp_path / "other", tracks=4, clips=1)
    with pytest.raises(FgmcapsError, match="no probabilities to filter by"):
        refilter(tmp_path / "other", {"key": 0.8})
    out = built(tmp_path / "out")
    with pytest.raises(FgmcapsError, match=r"--precision: fusion.key.precision: the fitted model reaches"):
        refilter(out, {"key": 0.9999})
    text = (out / "manifest.json").read_text()
    manifest = json.loads(text)
    manifest["config"]["label_filter"]["key"]["probability"] = 0.123
    (out / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(FgmcapsError, match="has other thresholds than the one that made these labels"):
        refilter(out, {"key": 0.8})


def test_the_coverage_table_counts_what_refilter_gives(tmp_path):
    out = built(tmp_path / "out")
    asked = with_precision(PROFILE.fusion, {"key": 0.8, "meter": 0.8})
    told = coverage(out, read_manifest(out), asked)
    refilter(out, {"key": 0.8, "meter": 0.8})
    after = coverage(out, read_manifest(out))
    assert told.asked == (after.now_kept, after.now_facts) and sum(after.now_facts) == CLIPS
    assert told.kept == after.kept and told.facts == after.facts  # they do not depend on the filter of today
    refilter(out, precision_of(["all=0.9"]))
    level = coverage(out, read_manifest(out))
    assert [level.now_kept[name] for name in level.now_kept] == [level.kept[name][2] for name in level.kept]
    assert level.now_facts == level.facts[2]


def test_the_command_shows_and_changes(tmp_path):
    out = built(tmp_path / "out")
    before = files_of(out)
    shown = CliRunner().invoke(main, ["refilter", str(out)])
    assert shown.exit_code == 0 and "captions with no fact" in shown.output and "at 0.95" in shown.output
    dry = CliRunner().invoke(main, ["refilter", str(out), "--precision", "key=0.8", "--dry-run"])
    assert "asked" in dry.output and files_of(out) == before
    done = CliRunner().invoke(main, ["refilter", str(out), "--precision", "key=0.8 chords=0.9", "-q"])
    assert done.exit_code == 0 and f"of {CLIPS} clips changed (precision: tempo 0.95" in done.output
    assert "| kept of all | now |" in (out / "README.md").read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"tempo_bpm": 0.01, "tempo_probability": 1.0},
        {"key": "H dur", "key_probability": 1.0},
        {"chords": [{"start": 0.0, "end": 10.0, "label": "no chord at all", "confidence": None}]},
    ],
)
def test_hostile_rows_end_in_one_line_and_leave_the_dataset(tmp_path, change):
    out = built(tmp_path / "out")
    shard = max(read_manifest(out).shards, key=lambda s: s.rows)
    rows = [row | {"fused": row["fused"] | change} for row in iter_shard(out, shard, arrow_schema().names)]
    index, total = (int(part) for part in (shard.path[-22:-17], shard.path[-13:-8]))
    new = write_shard(tmp_path / "new", shard.split, index, total, rows)
    (out / shard.path).write_bytes((tmp_path / "new" / new.path).read_bytes())
    manifest = json.loads((out / "manifest.json").read_text())
    for entry in manifest["shards"]:
        if entry["path"] == shard.path:
            entry.update(bytes=new.bytes, sha256=new.sha256)
    manifest["config"]["seed"] = "nonsense"
    (out / "manifest.json").write_text(json.dumps(manifest))
    before = files_of(out)
    with pytest.raises(InvalidDataError, match="fgmcaps validate") as caught:
        refilter(out, {"tempo": 0.0, "key": 0.0, "chords": 0.0})
    assert len(str(caught.value).splitlines()) == 1
    assert {k: v for k, v in files_of(out).items() if k.name != ".lock"} == before
    assert any(problem.rule == "fused" for problem in validate(out))


def test_it_waits_for_no_build_that_works_in_the_folder(tmp_path):
    """A build's own lock is held, so that two commands never write one dataset at once."""
    out = built(tmp_path / "out")
    (out / ".fgmcaps").mkdir()
    with OutputFolder(out).locked(), pytest.raises(FgmcapsError, match="another fgmcaps command is working in"):
        refilter(out, {"key": 0.8})
    assert refilter(out, {"key": 0.8}).changed > 0
