"""Errors that end a command: one clear line and an exit code, never a traceback."""

EXIT_USAGE = 2
EXIT_NOTHING = 3
EXIT_ENVIRONMENT = 4
EXIT_INVALID = 5
EXIT_INTERRUPTED = 130


class CommandError(Exception):
    """Something the user can act on; the message names the file or option, the stage and the remedy."""

    exit_code = EXIT_USAGE


class NothingToBuildError(CommandError):
    """The input holds no audio, or no clip of it became a row."""

    exit_code = EXIT_NOTHING


class MachineError(CommandError):
    """A missing tool or model, a full disk, a dead server, a worker that cannot start."""

    exit_code = EXIT_ENVIRONMENT


class InvalidDatasetError(CommandError):
    """A dataset that is not finished, or damaged."""

    exit_code = EXIT_INVALID


def error_of(exit_code: int) -> type[CommandError]:
    """The kind of error with this exit code."""
    return next(
        (k for k in (NothingToBuildError, MachineError, InvalidDatasetError) if k.exit_code == exit_code), CommandError
    )
