"""What holds for every test."""

import signal

# A shell that starts us in the background makes us, and all that we start, deaf to interrupts, which some tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
