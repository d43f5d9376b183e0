"""Where torch computes: a device by name that is there, or one line that says what is."""

from fgmcaps.common.errors import FgmcapsError

KINDS = ("cpu", "cuda", "mps")


def choose_device(name: str | None = None) -> str:
    """``name`` (``cpu``, ``cuda``, ``cuda:1``, ``mps``) where torch can compute there.

    None and ``auto`` are a GPU where there is one. Raises FgmcapsError, never falls back.
    """
    import torch

    if name is None or name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name.partition(":")[0] not in KINDS:
        raise FgmcapsError(f"--device {name}: torch has no such device; take auto, cpu, cuda, cuda:1 or mps")
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        found = torch.cuda.device_count()
        there = f"torch sees {found} GPU{'' if found == 1 else 's'}" if name.startswith("cuda") else str(error)
        raise FgmcapsError(
            f"--device {name}: not there ({' '.join(there.split())[:100]}); leave it out to take what is"
        ) from None
    return name
