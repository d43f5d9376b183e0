"""Version of the data contract.

The major number changes when a reader of older shards would misread newer ones, the minor one when columns are added.
"""

FGMCAPS_SCHEMA_VERSION = "2.0"

READABLE_SCHEMAS = ("1", "2")
"""Major versions that this program reads; version 1 has no column ``fused``."""


def is_readable(version: str) -> bool:
    """Whether this program reads datasets of a schema version."""
    return version.split(".")[0] in READABLE_SCHEMAS
