"""What holds for every test."""

import signal

from hypothesis import settings

# A shell that starts us in the background makes us, and all that we start, deaf to interrupts, which some tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# `make check` and `make test` draw the same examples every time: a failure is of the change, never of the draw. `make
# fuzz` draws freely; what it finds is kept as an @example.
settings.register_profile("same", derandomize=True, database=None)
settings.register_profile("fuzz", derandomize=False, deadline=None, print_blob=True)
settings.load_profile("same")
