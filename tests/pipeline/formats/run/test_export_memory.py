"""Reading holds a few row groups, whatever the size of the shard."""

import numpy as np
import pyarrow as pa
import pytest

from fgmcaps.pipeline.dataset.failures import write_failures
from fgmcaps.pipeline.dataset.manifest import write_manifest
from fgmcaps.pipeline.dataset.shards import write_shard
from fgmcaps.pipeline.formats.base import Exporter
from fgmcaps.pipeline.formats.run.export_dataset import export_dataset
from fgmcaps.schemas import FGMCAPS_SCHEMA_VERSION, Counts, Manifest
from tests.factories import TOOLS, make_row, make_track

ROWS, AUDIO_BYTES = 640, 100_000


@pytest.fixture(scope="module")
def large_shard(tmp_path_factory):
    """One shard of 64 MB in ten row groups; the audio is noise that does not compress."""
    out = tmp_path_factory.mktemp("large") / "out"
    noise, template = np.random.default_rng(0), make_row(1, audio="path")

    def rows():
        for track_id in sorted(make_track(number).track_id for number in range(ROWS)):
            audio = {"bytes": noise.bytes(AUDIO_BYTES), "path": "x.flac"}
            yield template | {"id": f"{track_id}-00000000", "track_id": track_id, "split": "test", "audio": audio}

    shard = write_shard(out, "test", 0, 1, rows())
    write_failures(out, [])
    counts = Counts(ROWS, 0, ROWS, ROWS, ROWS, 0, 0)
    write_manifest(out, Manifest(FGMCAPS_SCHEMA_VERSION, "0" * 64, {}, counts, (shard,), TOOLS))
    return out


def test_an_export_holds_a_fraction_of_the_shard(large_shard, tmp_path):
    before, peak = pa.total_allocated_bytes(), []

    def measure(folder, shards, manifest):
        for _, rows in shards:
            for _ in rows:
                peak.append(pa.total_allocated_bytes() - before)

    export_dataset(large_shard, tmp_path / "x", Exporter("measure", "optional", measure))
    assert len(peak) == ROWS
    assert max(peak) < 0.4 * ROWS * AUDIO_BYTES
