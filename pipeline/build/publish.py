"""Publishing a build: everything is made of the staged files first, then swapped in."""

import shutil
from collections.abc import Sequence

from fgmcaps.pipeline.build.build import Build
from fgmcaps.pipeline.build.dataset_manifest import manifest_of
from fgmcaps.pipeline.build.shard_rows import FoundRows
from fgmcaps.pipeline.dataset.swap import assemble, describe, folder_for, swap_in
from fgmcaps.pipeline.report import REPORT_NAME
from fgmcaps.pipeline.stages.shard_plan import WrittenShard, staging


def publish(build: Build, written: Sequence[WrittenShard], found: FoundRows) -> None:
    """Make the output folder hold these shards, with their failures, card and manifest.

    A kill at any moment leaves the dataset that was there or the new one, and the same build, run again, ends here.
    """
    out, staged = build.spec.out, staging(build.folder.work)
    shards = tuple(each.receipt.shard for each in written)
    letters = (*found.letters, *(letter for each in written for letter in each.receipt.letters))
    build.folder.mark_outdated()
    assemble(staged, [(each.receipt.shard, each.file) for each in written])
    manifest = manifest_of(build, shards, found.rows, letters)
    duplicates = build.spec.plan.duplicates
    swap_in(out, staged, describe(staged, manifest, folder_for(out, shards), letters, duplicates))
    (out / REPORT_NAME).unlink(missing_ok=True)  # of the version before; the command writes it again
    shutil.rmtree(staged, ignore_errors=True)
    build.folder.clear_outdated()
