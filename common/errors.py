"""Errors that end a command: one clear line and an exit code, never a traceback."""

EXIT_USAGE = 2
EXIT_NOTHING = 3
EXIT_ENVIRONMENT = 4
EXIT_INVALID = 5
EXIT_INTERRUPTED = 130


class FgmcapsError(Exception):
    """Something the user can act on; the message names the file, row or option, the stage and the remedy."""

    exit_code = EXIT_USAGE


class NothingToDoError(FgmcapsError):
    """The input holds no audio, no clip of it became a row, or no row of it can be used."""

    exit_code = EXIT_NOTHING


class MachineError(FgmcapsError):
    """A missing tool or model, a full disk, no memory, a dead server, a worker that cannot start or died."""

    exit_code = EXIT_ENVIRONMENT


class DiskFullError(MachineError, OSError):
    """No room to write a file (disk, quota or file size limit). What was there before is untouched."""

    def __str__(self) -> str:
        return f"{self.filename}: {self.strerror}"


class InvalidDataError(FgmcapsError):
    """A dataset, cache, model or checkpoint that is not finished, damaged, not ours, or made for something else."""

    exit_code = EXIT_INVALID


def error_of(exit_code: int) -> type[FgmcapsError]:
    """The kind of error with this exit code."""
    kinds = (NothingToDoError, MachineError, InvalidDataError)
    return next((kind for kind in kinds if kind.exit_code == exit_code), FgmcapsError)
