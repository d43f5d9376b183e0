"""The installed commands. They close the door to foreign modules before they import anything that could be shadowed."""

from importlib import import_module

from fgmcaps.common.own_modules import keep_other_modules_out


def fgmcaps() -> None:
    """Run the ``fgmcaps`` command."""
    keep_other_modules_out()
    import_module("fgmcaps.common.caches").place_caches()
    import_module("fgmcaps.pipeline.cli").main()


def figma() -> None:
    """Run the ``figma`` command."""
    keep_other_modules_out()
    import_module("fgmcaps.common.caches").place_caches()
    import_module("fgmcaps.training.cli").main()
