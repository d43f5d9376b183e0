"""These tests need a real model of 1.1 GB and its servers: `make llm vllm test-llm` runs them, `make test` does not."""

import os

collect_ignore_glob = [] if os.environ.get("FGMCAPS_TEST_LLM") == "1" else ["test_*.py"]
