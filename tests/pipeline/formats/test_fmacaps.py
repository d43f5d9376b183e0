"""FMACaps-Eval, packed and unpacked: three variants of the same audio, test only."""

import pytest

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.read import iter_rows
from fgmcaps.pipeline.formats.base import ImportOptions
from fgmcaps.pipeline.formats.fmacaps import open_fmacaps
from fgmcaps.pipeline.formats.run.import_dataset import import_dataset
from fgmcaps.pipeline.validation.validate import validate
from tests.pipeline.formats.layouts import fmacaps_files, write_tar


@pytest.fixture(params=["archive", "folder with the archive", "unpacked", "the set itself"])
def source(request, tmp_path):
    place = tmp_path / "in"
    place.mkdir()
    if "archive" in request.param:
        write_tar(place / "FMACaps_eval_set.tar.gz", fmacaps_files())
        return place / "FMACaps_eval_set.tar.gz" if request.param == "archive" else place
    for name, data in fmacaps_files().items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return place if request.param == "unpacked" else place / "FMACaps_eval_set"


def test_every_way_it_may_lie_on_disk(source, tmp_path):
    out = tmp_path / "out"
    manifest = import_dataset(open_fmacaps(source, ImportOptions()), out)
    assert validate(out) == []
    rows = {r["source_path"]: r for _, r in iter_rows(out, manifest)}
    assert {path: r["duration_s"] for path, r in rows.items()} == {
        "audiodata/000002.wav": 10.0,
        "audiodata/000140.wav": 5.5,
    }
    got = rows["audiodata/000140.wav"]
    assert (got["split"], got["caption"]) == ("test", "A song. The bpm is 120.0. The key is F# minor. (140)")
    assert got["captions"] == [
        {"style": "A", "text": "A song. (140)"},
        {"style": "C", "text": "A song. The bpm is 120.0. (140)"},
    ]
    assert [(c["start"], c["end"]) for c in got["chords"]] == [(0.464399092, 3.0), (3.0, 5.5)]
    assert manifest.counts.failed == manifest.counts.filtered == 0


def test_a_variant_is_chosen(tmp_path):
    write_tar(tmp_path / "FMACaps_eval_set.tar.gz", fmacaps_files())
    out = tmp_path / "out"
    manifest = import_dataset(open_fmacaps(tmp_path, ImportOptions(variant="C")), out)
    captions = sorted(r["caption"] for _, r in iter_rows(out, manifest))
    assert captions == ["A song. The bpm is 120.0. (140)", "A song. The bpm is 120.0. (2)"]


def test_a_missing_variant_and_a_wrong_folder_are_named(tmp_path):
    with pytest.raises(FgmcapsError, match="FMACaps_eval_set"):
        open_fmacaps(tmp_path, ImportOptions())
    files = {k: v for k, v in fmacaps_files().items() if "FMACaps_B" not in k}
    write_tar(tmp_path / "FMACaps_eval_set.tar.gz", files)
    with pytest.raises(FgmcapsError, match=r"no FMACaps_B\.json; it has A, C"):
        open_fmacaps(tmp_path, ImportOptions())
    with pytest.raises(FgmcapsError, match="variants A, B, C"):
        open_fmacaps(tmp_path, ImportOptions(variant="D"))
