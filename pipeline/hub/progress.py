"""What a person sees of a push or a pull: bytes by stage."""

from fgmcaps.common.progress import BYTES, Counter, Progress


class TransferProgress:
    """Counts bytes by stage. This base class is silent; safe to call from several threads."""

    def stage(self, title: str, total: int) -> None:
        """Begin a stage of ``total`` bytes."""

    def advance(self, count: int) -> None:
        """``count`` more bytes; negative when a file is sent again."""


class ShownTransfer(TransferProgress):
    """Shows them on ``progress``."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._counter: Counter | None = None

    def stage(self, title: str, total: int) -> None:
        self._counter = self._progress.counter(title, BYTES)
        self._counter.start(total)

    def advance(self, count: int) -> None:
        if self._counter is not None:
            self._counter.advance(count)
