"""A worker that finds at start that its model is not there."""

from fgmcaps.common.isolated.server import HandlerError


def main(channel):
    """Refuse."""
    raise HandlerError("MissingCheckpoint", "model.bin is not there", {"path": "model.bin"})
