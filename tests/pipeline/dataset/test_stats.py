"""Statistics against values counted by hand."""

import json

import pytest

from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import ShardError
from fgmcaps.pipeline.dataset.stats import TOP, Histogram, collect_stats, stats_of_rows
from fgmcaps.schemas import Manifest, to_json
from fgmcaps.schemas.arrow import COLUMNS
from tests.factories import make_row


def light(number, **changes):
    return {**make_row(number, audio="none"), **changes}


@pytest.fixture
def manifest(good_dataset):
    return read_manifest(good_dataset)


def test_counts_of_a_built_dataset(good_dataset):
    stats = collect_stats(good_dataset)
    assert stats.rows == sum(stats.rows_per_split.values()) == 24
    assert stats.tracks == 12
    assert stats.hours == pytest.approx(240 / 3600)
    assert (stats.clips_found, stats.files, stats.duplicates, stats.failed, stats.filtered) == (27, 16, 1, 2, 1)
    assert stats.failed_by_reason == {"decode": 1, "timeout": 1}
    assert stats.caption_source == {"template": 24}
    # make_labels withholds tempo, meter, key, chords where (track + clip) % 8 is 0, 1, 2, 3:
    # tracks 0..11 with clips 0 and 1 give the sums 0..11 and 1..12.
    assert stats.qc_flags == {
        "chords:low_confidence": 4,
        "key:low_confidence": 4,
        "meter:low_confidence": 4,
        "tempo:low_confidence": 3,
    }
    assert stats.coverage["tempo"] == pytest.approx(21 / 24)
    assert stats.coverage["beats"] == 1.0
    assert stats.coverage["artist"] == 1.0


def test_it_is_json(good_dataset):
    stats = collect_stats(good_dataset)
    assert json.loads(to_json(stats))["rows"] == 24


def test_no_audio_is_read(dataset, monkeypatch):
    import pyarrow.parquet as pq

    asked = []
    original = pq.ParquetFile.iter_batches

    def spy(self, *args, columns=None, **kwargs):
        asked.append(columns)
        return original(self, *args, columns=columns, **kwargs)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", spy)
    collect_stats(dataset)
    assert asked
    assert not any("audio" in columns or "raw" in columns for columns in asked)


def test_tempo_bins_are_closed_below_and_open_above(manifest):
    tempi = [29.9, 30.0, 39.99, 40.0, 119.999, 120.0, 250.0, 251.0]
    histogram = stats_of_rows(manifest, [light(4, tempo_bpm=tempo) for tempo in tempi]).tempo
    assert histogram.edges[0] == 30.0
    assert (histogram.below, histogram.above) == (1, 1)
    counts = dict(zip(histogram.edges, histogram.counts, strict=False))
    assert (counts[30.0], counts[40.0], counts[110.0], counts[120.0], counts[240.0]) == (2, 1, 1, 1, 1)
    assert histogram.total == len(tempi)
    assert histogram.mean == pytest.approx(sum(tempi) / len(tempi))


@pytest.mark.parametrize("i", range(20))
def test_every_edge_of_a_confidence_falls_into_its_own_bin(manifest, i):
    histogram = stats_of_rows(manifest, [light(4, key_confidence=round(i / 20, 2))]).confidences["key"]
    assert histogram.counts.index(1) == i


def test_a_value_that_is_unknown_is_not_counted(manifest):
    rows = [light(4, tempo_bpm=None), light(4, tempo_bpm=float("nan"))]
    assert stats_of_rows(manifest, rows).tempo == Histogram(
        tuple(float(edge) for edge in range(30, 251, 10)), (0,) * 22, 0, 0, None
    )


def test_distinct_n_by_hand(manifest):
    # a b a | a b c: unigrams 6 (3 distinct), bigrams ab ba ab bc (3 of 4), trigrams aba abc (2 of 2)
    stats = stats_of_rows(manifest, [light(4, caption="a b a"), light(5, caption="A b c")])
    assert stats.distinct == {"distinct_1": 3 / 6, "distinct_2": 3 / 4, "distinct_3": 1.0}


def test_chords_are_counted_by_label_and_quality(manifest):
    spans = [{"start": 0.0, "end": 1.0, "label": label, "confidence": None} for label in ("C", "A:min7/b3", "N", "?")]
    stats = stats_of_rows(manifest, [light(4, chords=spans)])
    assert stats.chords == {"?": 1, "A:min7/b3": 1, "C": 1, "N": 1}
    assert stats.chord_qualities == {"(invalid)": 1, "N": 1, "maj": 1, "min7": 1}


def test_what_users_write_is_bounded(manifest):
    rows = [light(4, genre=[f"genre {i}" for i in range(TOP + 10)])]
    genres = stats_of_rows(manifest, rows).genre
    assert len(genres) == TOP + 1
    assert genres["(other)"] == 10


def test_null_rates_count_null_and_empty(manifest):
    stats = stats_of_rows(manifest, [light(4, album=None), light(4, album=""), light(4, album="x"), light(4, genre=[])])
    assert stats.null_rates["album"] == 0.5
    assert stats.null_rates["genre"] == 0.25
    assert set(stats.null_rates) == {column.name for column in COLUMNS} - {"audio", "fused", "raw"}


def test_an_empty_dataset_has_statistics(manifest: Manifest):
    stats = stats_of_rows(manifest, [])
    assert stats.rows == 0
    assert set(stats.coverage.values()) == {0.0}


def test_a_damaged_shard_is_named(dataset):
    shard = read_manifest(dataset).shards[1]
    (dataset / shard.path).write_bytes(b"PAR1" * 10)
    with pytest.raises(ShardError, match=shard.path):
        collect_stats(dataset)
