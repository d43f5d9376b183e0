"""FIGMA, the retriever: from published shards to a trained, evaluated, searchable model. Imports `schemas` only."""
