"""Labels against the truth: scores of a clip, accuracy over coverage, calibration, intervals. Pure functions."""

from fgmcaps.annotators.evaluation.calibration import (
    coverage_at,
    coverage_curve,
    expected_calibration_error,
    reliability,
)
from fgmcaps.annotators.evaluation.clip_scores import ATTRIBUTES, score_clip
from fgmcaps.annotators.evaluation.intervals import bootstrap_interval
from fgmcaps.annotators.evaluation.labels_of_tool import labels_of_tool
from fgmcaps.annotators.evaluation.study import AttributeResult, Judged, judge, study, unfiltered

__all__ = [
    "ATTRIBUTES",
    "AttributeResult",
    "Judged",
    "bootstrap_interval",
    "coverage_at",
    "coverage_curve",
    "expected_calibration_error",
    "judge",
    "labels_of_tool",
    "reliability",
    "score_clip",
    "study",
    "unfiltered",
]
