"""What an earlier run into the same folder could not do is forgotten, so that this one tries it again."""

from collections.abc import Callable

from fgmcaps.pipeline.audio.decode import CHANGED
from fgmcaps.pipeline.build.build import Build
from fgmcaps.pipeline.build.journal_state import forget_failures
from fgmcaps.pipeline.sources.inventory import forget_stamps
from fgmcaps.pipeline.stages.shard_plan import find_receipts
from fgmcaps.schemas import DeadLetter


def forget_failed(build: Build) -> None:
    """Try again what failed, whatever the reason."""
    _forget(build, lambda letter: letter.kind == "failed")


def forget_changed(build: Build) -> bool:
    """Try again what had changed since it was hashed, and read those files anew; True if there was any."""
    tracks = _forget(build, lambda letter: letter.reason == CHANGED)
    if tracks:
        forget_stamps(build.folder.inventory_file, [t.location for t in build.spec.plan.tracks if t.track_id in tracks])
    return bool(tracks)


def _forget(build: Build, wanted: Callable[[DeadLetter], bool]) -> set[str]:
    """Forget letters in the journal and in the receipts of shards; the ids of their tracks."""
    state = build.annotation_state()
    tracks = {letter.track_id for letter in state.read_letters() if wanted(letter)}
    receipts = find_receipts(build.folder.work, wanted)
    tracks.update(letter.track_id for letters in receipts.values() for letter in letters)
    if tracks:
        build.folder.mark_outdated()  # first: a kill in between must not leave a dataset that looks up to date
        forget_failures(build.annotations, tracks)
        for receipt in receipts:
            receipt.unlink()
    return tracks
