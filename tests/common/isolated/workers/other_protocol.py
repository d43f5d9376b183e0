"""A worker of another protocol version."""

from fgmcaps.common.isolated.framing import Message


def main(channel):
    """Say a hello of the future, then wait."""
    channel.send(Message({"kind": "hello", "protocol": 999, "tool": "misbehaving", "versions": {}}))
    channel.receive()
