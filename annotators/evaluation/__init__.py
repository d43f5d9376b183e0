"""Labels against the truth: scores of a clip, accuracy over coverage, calibration, intervals. Pure functions."""

from .calibration import Curve, Reliability, coverage_at, coverage_curve, expected_calibration_error, reliability
from .clip_scores import ATTRIBUTES, ClipScores, score_clip
from .intervals import bootstrap_interval
from .single_tool import labels_of_tool
from .study import AttributeResult, Judged, judge, study, unfiltered

__all__ = [
    "ATTRIBUTES",
    "AttributeResult",
    "ClipScores",
    "Curve",
    "Judged",
    "Reliability",
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
