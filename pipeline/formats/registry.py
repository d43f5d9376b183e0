"""All layouts by name."""

from fgmcaps.pipeline.formats.base import Exporter, Importer
from fgmcaps.pipeline.formats.csv_table import CSV
from fgmcaps.pipeline.formats.fma import FMA
from fgmcaps.pipeline.formats.fmacaps import FMACAPS
from fgmcaps.pipeline.formats.jams import JAMS
from fgmcaps.pipeline.formats.mteb import FGMCAPS_BENCHMARK, MTEB
from fgmcaps.pipeline.formats.mtg_jamendo import MTG_JAMENDO
from fgmcaps.pipeline.formats.musicbench import MUSICBENCH_EXPORT, MUSICBENCH_IMPORT
from fgmcaps.pipeline.formats.webdataset import WEBDATASET

EXPORTERS: dict[str, Exporter] = {e.name: e for e in (JAMS, CSV, WEBDATASET, MUSICBENCH_EXPORT, MTEB)}
IMPORTERS: dict[str, Importer] = {i.name: i for i in (MUSICBENCH_IMPORT, FMACAPS, FGMCAPS_BENCHMARK, MTG_JAMENDO, FMA)}
