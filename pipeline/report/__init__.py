"""``report.html``: a finished dataset for the eye and the ear, in one file that asks no other host for anything."""

from fgmcaps.pipeline.report.build import REPORT_NAME, write_report

__all__ = ["REPORT_NAME", "write_report"]
