"""Measurements of retrieval: the cost of scoring a pool, and the search index against exact search."""
