"""A manifest that an importer wrote, read as `fgmcaps build` reads it."""

from fgmcaps.pipeline.formats.run.import_metadata import import_metadata
from fgmcaps.pipeline.sources import open_source


def manifest_of(rows, out):
    count = import_metadata(rows, out)
    found = {f.source_path: f for f in open_source(str(out)).files()}
    assert len(found) == count
    return found
