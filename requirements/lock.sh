#!/bin/sh
# Resolves pyproject.toml into requirements/main.lock: every package with its hashes. Two are special:
# torch comes as a CPU or a CUDA build, by the machine (same version), so it stands in torch.lock without hashes;
# BeatNet pins a numba that Python 3.11 cannot run, and muq a torchaudio that does not load beside the CPU build of torch,
# so both are added without their dependencies.
set -eu
cd "$(dirname "$0")/.."
python -m piptools compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host \
    --no-emit-find-links --no-header --no-annotate --allow-unsafe --extra dev --extra demo \
    --output-file requirements/.all pyproject.toml
awk '/^[a-zA-Z0-9]/ { keep = !/^torch==/ } keep' requirements/.all | grep -v '^#' > requirements/main.lock
sed -n 's/^torch==\([0-9.]*\).*/torch==\1/p' requirements/.all > requirements/torch.lock
wheels=$(mktemp -d)
for package in beatnet==1.1.3 muq==0.1.0; do
    rm -f "$wheels"/*
    python -m pip download --quiet --no-deps --dest "$wheels" "$package"
    printf '%s \\\n    --hash=%s\n' "$package" "$(python -m pip hash "$wheels"/* | sed -n 's/.*--hash=//p')" >> requirements/main.lock
done
rm -r "$wheels" requirements/.all
