"""These tests need vLLM's environment: `make vllm test-vllm` runs them, `make test` does not."""

import os

collect_ignore_glob = [] if os.environ.get("FGMCAPS_TEST_VLLM") == "1" else ["test_*.py"]
