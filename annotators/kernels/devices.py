"""Where networks run: one thread of the processor (the default) or a GPU."""

DEVICES = ("cpu", "cuda")


def checked_device(device: str, who: str) -> str:
    """``device`` if it is ``cpu``, ``cuda`` or ``cuda:N``. Raises ValueError naming the tool ``who``."""
    kind, colon, index = device.partition(":")
    if kind not in DEVICES or (colon and not (kind == "cuda" and index.isdigit())):
        raise ValueError(f"{who}: unknown device {device!r}; one of cpu, cuda, cuda:0, ...")
    return device


def available_device(device: str, who: str) -> str:
    """``device`` if this process can use it. Raises RuntimeError with the remedy where torch sees no such GPU."""
    import torch

    if device == "cpu":
        return device
    index = int(device.partition(":")[2] or 0)
    if not torch.cuda.is_available() or index >= torch.cuda.device_count():
        raise RuntimeError(f"{who}: device {device} asked for, but torch sees no such GPU; set device: cpu")
    return device
