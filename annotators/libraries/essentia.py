"""Essentia, imported late and kept from writing to the terminal."""

from types import ModuleType

DISTRIBUTION = "essentia"
LICENCE = "AGPL-3.0"
URL = "https://essentia.upf.edu"
RATE = 44_100


def import_essentia() -> ModuleType:
    """``essentia.standard`` with its console messages switched off."""
    import essentia

    essentia.log.infoActive = False
    essentia.log.warningActive = False
    import essentia.standard as standard

    module: ModuleType = standard
    return module
