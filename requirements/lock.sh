#!/bin/sh
# Resolves pyproject.toml into requirements/main.lock: every package with its hashes. Two are special:
# torch comes as a CPU or a CUDA build, by the machine (same version), so it stands in torch.lock without hashes;
# BeatNet pins a numba that Python 3.11 cannot run, so it is added without its dependencies.
set -eu
cd "$(dirname "$0")/.."
python -m piptools compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host \
    --no-emit-find-links --no-header --no-annotate --allow-unsafe --extra dev --extra demo \
    --output-file requirements/.all pyproject.toml
awk '/^[a-zA-Z0-9]/ { keep = !/^torch==/ } keep' requirements/.all | grep -v '^#' > requirements/main.lock
sed -n 's/^torch==\([0-9.]*\).*/torch==\1/p' requirements/.all > requirements/torch.lock
wheels=$(mktemp -d)
python -m pip download --quiet --no-deps --dest "$wheels" beatnet==1.1.3
printf 'beatnet==1.1.3 \\\n    --hash=%s\n' "$(python -m pip hash "$wheels"/*.whl | sed -n 's/.*--hash=//p')" >> requirements/main.lock
rm -r "$wheels" requirements/.all
