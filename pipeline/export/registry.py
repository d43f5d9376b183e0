"""All export formats by name."""

from fgmcaps.pipeline.export.base import ExportFormat
from fgmcaps.pipeline.export.csv_table import CSV
from fgmcaps.pipeline.export.jams_files import JAMS
from fgmcaps.pipeline.export.mteb import MTEB
from fgmcaps.pipeline.export.musicbench import MUSICBENCH
from fgmcaps.pipeline.export.webdataset import WEBDATASET

FORMATS: dict[str, ExportFormat] = {f.name: f for f in (JAMS, CSV, WEBDATASET, MUSICBENCH, MTEB)}
