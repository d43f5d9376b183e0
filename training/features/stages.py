"""Titles and units of the stages that commands show."""

FEATURE_STAGES = {
    "fit": ("Fitting statistics", "clips"),
    "audio": ("Encoding audio", "clips"),
    "text": ("Encoding text", "captions"),
}
"""Stages of :func:`fgmcaps.training.features.build.build_cache`."""
