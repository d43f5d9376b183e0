#!/bin/sh
# Resolves pyproject.toml into the locks: every package with its hashes. Pins that still fit are kept; UPGRADE=1 takes the
# newest. Special are:
# - torch, which comes in two builds of one version (install_torch.sh): PyPI's with the CUDA libraries that it needs is
#   torch-pypi.lock; that of PyTorch's own index is torch-cpu.lock, without a hash, because it is not on PyPI;
# - BeatNet, which pins a numba that Python 3.11 cannot run, and muq, which asks for a torchaudio that does not load beside
#   the CPU build of torch: both are added without their dependencies.
set -eu
cd "$(dirname "$0")/.."
trap 'rm -f requirements/.all' EXIT
[ -n "${UPGRADE:-}" ] || cat requirements/main.lock requirements/torch-pypi.lock | grep -vE '^(beatnet|muq)==' > requirements/.all
python -m piptools compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host \
    --no-emit-find-links --no-header --no-annotate --allow-unsafe \
    --extra annotate --extra llm --extra train --extra dev --extra demo --output-file requirements/.all pyproject.toml
cuda='^(torch|triton|cuda-[a-z]+|nvidia-[a-z0-9-]+)=='
awk -v cuda="$cuda" '/^[a-zA-Z0-9]/ { keep = $0 !~ cuda } keep' requirements/.all | grep -v '^#' > requirements/main.lock
awk -v cuda="$cuda" '/^[a-zA-Z0-9]/ { keep = $0 ~ cuda } keep' requirements/.all | grep -v '^#' > requirements/torch-pypi.lock
sed -n 's/^torch==\([0-9.]*\).*/torch==\1/p' requirements/.all > requirements/torch-cpu.lock
wheels=$(mktemp -d)
for package in beatnet==1.1.3 muq==0.1.0; do
    rm -f "$wheels"/*
    python -m pip download --quiet --no-deps --dest "$wheels" "$package"
    printf '%s \\\n    --hash=%s\n' "$package" "$(python -m pip hash "$wheels"/* | sed -n 's/.*--hash=//p')" >> requirements/main.lock
done
rm -r "$wheels"
