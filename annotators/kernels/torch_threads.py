"""One torch thread in a process that annotates.

The order of a floating-point sum changes with the number of threads, and with it, in rare ties, a label. So labels are
made with one thread, whatever the machine; parallelism is the runner's, over clips.
"""

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_thread() -> Iterator[None]:
    """``torch.inference_mode`` on one thread.

    The number stays 1 for this thread and for those that begin later: it belongs to the process in part, so putting it
    back would change what other threads are computing. Who trains in the same process sets it again.
    """
    import torch  # here, so that reading a profile does not wait for it

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    with torch.inference_mode():
        yield
