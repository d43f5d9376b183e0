"""One torch thread while an annotator computes.

The order of a floating-point sum changes with the number of threads, and with it, in rare ties, a label. So labels are
made with one thread, whatever the machine; parallelism is the runner's, over clips.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """``torch.inference_mode`` on one thread; the caller's number of threads is put back."""
    import torch  # here, so that reading a profile does not wait for it

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.inference_mode():
            yield
    finally:
        torch.set_num_threads(before)
