"""How common each meter is in a finished dataset, from its rows alone: for ``fgmcaps calibrate DATASET``."""

from collections.abc import Iterator
from pathlib import Path

from fgmcaps.common.errors import FgmcapsError
from fgmcaps.pipeline.dataset.coverage import fusion_of
from fgmcaps.pipeline.dataset.manifest import read_manifest
from fgmcaps.pipeline.dataset.read import iter_shard
from fgmcaps.pipeline.labels.calibrate import MetersFound, meters_of, write_meters
from fgmcaps.schemas import Fused, from_dict


def dataset_meters(folder: Path, out: Path) -> MetersFound:
    """Find them and write the file. Raises FgmcapsError for a dataset whose labels have no probabilities."""
    manifest = read_manifest(folder)
    settings = fusion_of(manifest)
    if settings is None:
        raise FgmcapsError(f"{folder}: its labels have no probabilities; build it with best, fast or permissive")
    rows = (row["fused"] for shard in manifest.shards for row in iter_shard(folder, shard, ["fused"]))
    found = meters_of([from_dict(Fused, fused) for fused in rows if fused is not None], settings.model)
    write_meters(out, found, settings.model)
    return found


def meter_lines(found: MetersFound) -> Iterator[str]:
    """For people."""
    for name, share in found.meters.items():
        yield f"{name}: {share:.3f} of the clips (taken to be {found.assumed[name]:.3f})"
    yield f"{found.changed} of {found.clips} clips would be given another meter"
