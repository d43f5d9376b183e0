"""``report.html``: a finished dataset to look at and listen to, in one file that loads nothing from elsewhere."""

from fgmcaps.pipeline.report.build import REPORT_NAME, write_report

__all__ = ["REPORT_NAME", "write_report"]
