"""Version of the data contract.

The major number changes when a reader of older shards would misread newer ones, the minor one when columns are added.
"""

FGMCAPS_SCHEMA_VERSION = "1.0"
