"""A worker that does on request what hostile input makes tools do. Run by boot.py in the tests."""

import ctypes
import os
import struct
import sys
import time

import numpy as np

from fgmcaps.common.isolated.framing import Message
from fgmcaps.common.isolated.server import HandlerError, Tool, serve

sys.stdout.write("a banner at import\n")
sys.stdout.flush()


def main(channel):
    """Serve every kind of trouble."""
    state = {"calls": 0}

    def echo(args, arrays):
        state["calls"] += 1
        return Message({**args, "calls": state["calls"]}, arrays)

    def abort(args, arrays):
        os.write(2, b"last words before the abort\n")
        os.abort()

    def sleep(args, arrays):
        time.sleep(args["seconds"])
        return Message({})

    def spin(args, arrays):
        end = time.monotonic() + args["seconds"]
        while time.monotonic() < end:
            pass
        return Message({})

    def hold_the_lock(args, arrays):
        ctypes.PyDLL(None).sleep(int(args["seconds"]))  # PyDLL keeps the interpreter's lock during the call
        return Message({})

    def prints(args, arrays):
        sys.stdout.write("from Python\n")
        sys.stdout.flush()
        os.write(1, b"from C\n" * args["lines"])
        return Message({"stdin": sys.stdin.read()})

    def garbage(args, arrays):
        os.write(channel.write_fd, b"this is no frame at all, not by any means")
        return Message({})

    def huge(args, arrays):
        os.write(channel.write_fd, struct.pack("<4sIQ", b"FGW1", 10, 2**62))
        time.sleep(60)

    def wrong_id(args, arrays):
        channel.send(Message({"kind": "reply", "id": -5, "values": {}}))
        return Message({})

    def raises(args, arrays):
        raise ValueError("the text of the error")

    def raises_data(args, arrays):
        raise HandlerError("Unplayable", "no such record", {"reason": "scratched"})

    def unsendable(args, arrays):
        return Message({"value": float("nan")})

    def allocate(args, arrays):
        return Message({"bytes": len(np.ones(args["bytes"], np.uint8))})

    def child(args, arrays):
        pid = os.posix_spawn("/bin/sleep", ["sleep", "1000"], os.environ)
        return Message({"pid": pid})

    def leave(args, arrays):
        os._exit(args["code"])

    handlers = {name: value for name, value in locals().items() if callable(value)}
    serve(channel, Tool("misbehaving", {"toy": "1.5"}), handlers)
