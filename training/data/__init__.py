"""Published shards as training reads them: rows, audio, batches."""
