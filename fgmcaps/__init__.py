"""FGMCaps and FIGMA. The rooms of the house are its packages: ``fgmcaps.annotators``, ``fgmcaps.training``, ..."""


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version  # late: the commands start with as few imports as they can

        return version("fgmcaps")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
