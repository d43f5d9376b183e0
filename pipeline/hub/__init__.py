"""Publication on the Hugging Face Hub: push, pull, and what may leave. One verb per file; :mod:`.push` and :mod:`.pull`
are the front doors."""
