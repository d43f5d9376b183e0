"""What a publication holds, read back file by file."""

import dataclasses
import hashlib
import io
import json

import mlcroissant
import pyarrow.parquet as pq
import pytest
from huggingface_hub import DatasetCard
from PIL import Image

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.failures import write_failures
from fgmcaps.pipeline.dataset.manifest import read_manifest, write_manifest
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.pipeline.dataset.stats import collect_stats
from fgmcaps.pipeline.hub.metadata_files import ROWS_PER_GROUP, MetadataWriter, metadata_features
from fgmcaps.pipeline.hub.plots import draw_plots
from fgmcaps.pipeline.hub.prepare import PublishSettings, prepare
from fgmcaps.pipeline.hub.progress import TransferProgress
from fgmcaps.pipeline.validation.validate import validate
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, Counts, Manifest
from fgmcaps.schemas.arrow import arrow_schema
from tests.factories import TOOLS, build_dataset, make_letters, make_row

URL = "https://hub.example/datasets/user/music"
SETTINGS = PublishSettings("user/music", URL)


def publish(out, folder, **settings):
    folder.mkdir()
    return prepare(out, folder, dataclasses.replace(SETTINGS, **settings), TransferProgress())


def rows_of(folder, pattern="data/*.parquet"):
    return [row for path in sorted(folder.glob(pattern)) for row in pq.read_table(path).to_pylist()]


@pytest.fixture(scope="module")
def published(small_source, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "files"
    return publish(small_source, folder), folder


def test_audio_leaves_row_by_row_as_the_licence_says(small_source, published):
    _, folder = published
    before = {row["id"]: row for row in rows_of(small_source)}
    after = rows_of(folder)
    assert {row["id"] for row in after} == before.keys()
    assert {row["licence"] for row in after} == {"CC-BY-4.0", None}
    for row in after:
        if row["licence"] == "CC-BY-4.0":
            assert row == before[row["id"]]
            assert row["audio"]["bytes"]
        else:
            assert row["audio"] is None
            assert row["qc_flags"] == [*before[row["id"]]["qc_flags"], "audio:licence"]
            rest = {name: value for name, value in row.items() if name not in ("audio", "qc_flags")}
            assert rest.items() <= before[row["id"]].items()


def test_forbidden_audio_is_nowhere_in_the_files(small_source, published):
    _, folder = published
    forbidden = [row["audio"]["bytes"] for row in rows_of(small_source) if row["licence"] is None]
    assert forbidden
    for path in folder.rglob("*"):
        data = path.read_bytes() if path.is_file() else b""
        assert not any(audio[100:400] in data for audio in forbidden), path


def test_the_publication_counts_and_the_checksums_hold(published):
    prepared, folder = published
    publication = prepared.publication
    assert (publication.rows, publication.audio_rows, publication.withheld) == (6, 3, {"": 3})
    assert {file.published.path for file in prepared.files} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    }
    for file in prepared.files:
        data = file.source.read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (file.published.bytes, file.published.sha256)


def test_the_staged_files_are_a_valid_dataset(published):
    assert validate(published[1]) == []


def test_audio_that_a_flag_says_was_withheld_is_a_problem(tmp_path):
    row = {**make_row(1), "qc_flags": [*make_row(1)["qc_flags"], "audio:licence"]}
    _dataset(tmp_path, [row])
    assert any("audio:licence" in str(problem) for problem in validate(tmp_path))


def test_shards_that_may_leave_as_they_are_keep_their_bytes(small_source, tmp_path):
    publish(small_source, tmp_path / "files", assumed_licence="CC-BY-4.0")
    for path in (small_source / "data").iterdir():
        assert (tmp_path / "files" / "data" / path.name).read_bytes() == path.read_bytes()
    assert (tmp_path / "files" / "manifest.json").read_bytes() == (small_source / "manifest.json").read_bytes()


def test_equal_datasets_and_settings_give_equal_bytes(small_source, published, tmp_path):
    _, folder = published
    publish(small_source, tmp_path / "again")
    for path in folder.rglob("*"):
        if path.is_file():
            assert (tmp_path / "again" / path.relative_to(folder)).read_bytes() == path.read_bytes(), path


def test_without_audio(small_source, tmp_path):
    prepared = publish(small_source, tmp_path / "files", audio="none")
    assert all(row["audio"] is None for row in rows_of(tmp_path / "files"))
    assert (prepared.publication.audio_rows, prepared.publication.withheld) == (0, {})
    assert validate(tmp_path / "files") == []
    configs = DatasetCard.load(tmp_path / "files" / "README.md").data.to_dict()["configs"]
    assert [(config["config_name"], config["default"]) for config in configs] == [("metadata", True)]


@pytest.mark.parametrize("policy", ["path", "none"])
def test_a_dataset_without_embedded_audio_publishes_none(tmp_path, policy):
    build_dataset(tmp_path / "out", tracks=2, clips=1, shards=1, audio=policy)
    prepared = publish(tmp_path / "out", tmp_path / "files")
    assert prepared.publication.audio == "none"
    assert all(row["audio"] is None for row in rows_of(tmp_path / "files"))
    with pytest.raises(FgmcapsError, match="--audio none"):
        publish(tmp_path / "out", tmp_path / "more", audio="embed")


def test_the_metadata_are_the_same_rows_without_audio(published):
    _, folder = published
    manifest = read_manifest(folder)
    light = {row["id"]: row for row in rows_of(folder, "metadata/*.parquet")}
    for row in rows_of(folder):
        del row["audio"]
        assert light[row["id"]] == row
    for path in (folder / "metadata").iterdir():
        assert path.stat().st_size < 60_000
        stored = json.loads(pq.read_schema(path).metadata[b"huggingface"])["info"]["features"]
        assert set(stored) == set(metadata_features(manifest))
        assert pq.read_schema(path).names == list(metadata_features(manifest))


def test_light_files_do_not_depend_on_how_rows_arrive(small_source, tmp_path):
    shard = next((small_source / "data").glob("train*"))
    table = pq.read_table(shard)
    for name, size in (("one", 1), ("all", 10_000)):
        (tmp_path / name).mkdir()
        with MetadataWriter(tmp_path / name, read_manifest(small_source)) as writer:
            for _ in range(600):
                for batch in table.to_batches(max_chunksize=size):
                    writer.add("train", batch)
    one, whole = (tmp_path / name / "metadata" / "train.parquet" for name in ("one", "all"))
    assert one.read_bytes() == whole.read_bytes()
    footer = pq.read_metadata(one)
    assert footer.num_rows == 600 * table.num_rows
    assert footer.row_group(0).num_rows == ROWS_PER_GROUP


def test_the_card_tells_configurations_licences_and_citation(published):
    _, folder = published
    card = DatasetCard.load(folder / "README.md")
    data, text = card.data.to_dict(), card.text
    assert [config["config_name"] for config in data["configs"]] == ["default", "metadata"]
    assert data["configs"][0]["default"] is True
    infos = {info["config_name"]: info for info in data["dataset_info"]}
    audio = next(column for column in infos["default"]["features"] if column["name"] == "audio")
    assert audio["dtype"] == {"audio": {"sampling_rate": 24000}}
    assert "audio" not in [column["name"] for column in infos["metadata"]["features"]]
    for info in infos.values():
        assert sum(split["num_examples"] for split in info["splits"]) == 6
    for config, folder_name in (("default", "data"), ("metadata", "metadata")):
        size = sum(path.stat().st_size for path in (folder / folder_name).iterdir())
        assert infos[config]["download_size"] == size
    assert "Audio is published for 3 of 6 clips." in text
    assert "For 3 clips the licence of the recording does not allow it" in text
    assert "@misc{music," in text
    assert "2606.06615" in text
    assert "| madmom-downbeat | 0.17 | CC-BY-NC-SA-4.0 | non-commercial |" in text
    assert "![Keys](plots/key.png)" in text
    assert 'load_dataset("user/music", split="train")' in text


def test_the_card_records_an_assumed_licence(small_source, tmp_path):
    publish(small_source, tmp_path / "files", assumed_licence="CC-BY-4.0", config_name="full")
    text = (tmp_path / "files" / "README.md").read_text(encoding="utf-8")
    assert "**CC-BY-4.0**" in text
    assert "Audio is published for 6 of 6 clips." in text
    assert "config_name: full" in text


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("audio", [None, "none"])
def test_croissant_is_valid_and_its_records_load(small_source, tmp_path, audio):
    publish(small_source, tmp_path / "files", audio=audio)
    path = tmp_path / "files" / "croissant.json"
    dataset = mlcroissant.Dataset(jsonld=str(path), mapping={"repo": str(tmp_path / "files")})
    assert not dataset.metadata.issues.errors
    assert dataset.metadata.uuid or dataset.metadata.name == "music"
    wanted = {row["id"]: row for row in rows_of(tmp_path / "files")}
    records = list(dataset.records("metadata"))
    assert len(records) == 6
    for record in records:
        row = wanted[record["metadata/id"].decode()]
        assert record["metadata/caption"].decode() == row["caption"]
        assert [label.decode() for label in record["metadata/genre"] or []] == row["genre"]
        assert record["metadata/beats"] == pytest.approx(row["beats"])


@pytest.mark.slow
def test_plots_are_small_pictures_and_deterministic(small_source):
    stats = collect_stats(small_source)
    stats = dataclasses.replace(stats, key={"$\\frac{1}{0}$ 日本 \x07": 3, "C major": 1})
    first, second = draw_plots(stats), draw_plots(stats)
    assert first == second
    for _, data in first.values():
        assert len(data) < 60_000
        with Image.open(io.BytesIO(data)) as picture:
            assert picture.size == (450, 300)
            assert len(picture.convert("RGB").getcolors(1 << 20)) > 3  # something is drawn
            assert "Software" not in picture.info


def test_a_damaged_shard_is_refused_before_anything_is_laid_out(small, tmp_path):
    shard = next((small / "data").glob("*.parquet"))
    data = bytearray(shard.read_bytes())
    data[len(data) // 2] ^= 1
    shard.write_bytes(data)
    with pytest.raises(FgmcapsError, match=rf"{shard.name}: its SHA-256 .* build the dataset again"):
        publish(small, tmp_path / "files")


def test_an_empty_dataset_publishes_no_rows(tmp_path):
    out = tmp_path / "out"
    _dataset(out, [])
    prepared = publish(out, tmp_path / "files")
    assert prepared.publication.rows == 0


def test_a_forbidden_row_in_a_file_system_without_links(small, tmp_path, monkeypatch):
    def no_links(*_):
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr("fgmcaps.pipeline.hub.prepare.os.link", no_links)
    prepared = publish(small, tmp_path / "files", assumed_licence="MIT")
    for file in prepared.files:
        assert hashlib.sha256(file.source.read_bytes()).hexdigest() == file.published.sha256


def _dataset(out, rows):
    letters = make_letters()
    split = rows[0]["split"] if rows else "train"
    shard = write_shard(out, split, 0, 1, rows)
    write_failures(out, letters)
    counts = Counts(8, 1, 7, len(rows) + 3, len(rows), 2, 1, {"decode": 1, "timeout": 1}, {"silence": 1})
    write_manifest(out, Manifest(FGMCAPS_SCHEMA_VERSION, "0" * 64, {}, counts, (shard,), TOOLS))
    assert read_manifest(out).counts.rows == len(rows)
    assert arrow_schema().equals(pq.read_schema(out / shard.path))
