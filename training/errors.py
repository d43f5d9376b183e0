"""Errors that end a `figma` command: one clear line and an exit code, never a traceback."""

import difflib
from collections.abc import Iterable

EXIT_USAGE = 2
EXIT_NOTHING = 3
EXIT_ENVIRONMENT = 4
EXIT_INVALID = 5
EXIT_INTERRUPTED = 130


class FigmaError(Exception):
    """Something the user can act on; the message names the file, row or option, the stage and the remedy."""

    exit_code = EXIT_USAGE

    def __init__(self, message: str, exit_code: int | None = None) -> None:
        super().__init__(message)
        if exit_code is not None:
            self.exit_code = exit_code


class NothingToDoError(FigmaError):
    """The data holds no row that can be used."""

    exit_code = EXIT_NOTHING


class MachineError(FigmaError):
    """A full disk, no memory, a missing package or model, a dead server, a worker that died."""

    exit_code = EXIT_ENVIRONMENT


class InvalidDataError(FigmaError):
    """Shards, a cache or a checkpoint that are damaged, not ours, or made for something else."""

    exit_code = EXIT_INVALID


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the closest known word, or an empty string."""
    match = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {match[0]!r}?)" if match else ""
