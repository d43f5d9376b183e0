#!/bin/sh
# Installs torch from its lock: install_torch.sh PYTHON, the interpreter of an environment.
# PyPI's build for x86-64 Linux carries CUDA, 5 GB more than the CPU build, which only PyTorch's own index has. So: without
# an NVIDIA GPU the CPU build, where that index answers; else PyPI's. FGMCAPS_TORCH=cpu or pypi decides by hand.
set -eu
python=$1
here=$(dirname "$0")
index=https://download.pytorch.org/whl/cpu
kind=${FGMCAPS_TORCH:-auto}
pip() { "$python" -m pip --quiet --disable-pip-version-check "$@"; }

has_gpu() { command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU; }
answers() {
    "$python" -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5).close()' "$index/torch/" 2>/dev/null
}

if [ "$kind" = auto ]; then
    kind=pypi
    case $(uname -sm) in
    "Linux x86_64") if ! has_gpu; then
        if answers; then kind=cpu; else echo "PyTorch's index of CPU builds does not answer: taking PyPI's build (5 GB more)"; fi
    fi ;;
    esac
fi

# The CPU build needs nothing that main.lock does not hold; PyPI's needs the CUDA libraries that stand in its lock.
case $kind in
cpu) pip install --index-url "$index" --no-deps -r "$here/torch-cpu.lock" ;;
pypi)
    sh "$here/needs.sh" "setup, with PyPI's build of torch," free:6
    pip install --no-deps --require-hashes -r "$here/torch-pypi.lock"
    ;;
*)
    echo "install_torch.sh: FGMCAPS_TORCH is '$kind', not cpu or pypi" >&2
    exit 2
    ;;
esac
