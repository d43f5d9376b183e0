"""The dataset on disk: rows, shards, manifest, statistics, card."""
