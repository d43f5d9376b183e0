#!/bin/sh
# Makes Omnizart's own environment: make_omnizart_env.sh [FOLDER, default .venv-omnizart]. PYTHON names a Python 3.11.
# Needs a C++ compiler (vamp is a source package). About 2 minutes, 1.6 GB.
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-.venv-omnizart}
scratch=$(mktemp -d)
. requirements/fresh_env.sh

pip install --no-deps --require-hashes --only-binary :all: -r requirements/omnizart.lock
pip install --no-deps --require-hashes --no-build-isolation -r requirements/vamp.lock

# Omnizart's setup.py installs these two itself if it does not find them. PyAudio needs a system library and is used
# for microphones only, madmom serves the beat model only: names without content satisfy it.
for name in pyaudio==0.2.14 madmom==0.17; do
    mkdir -p "$scratch/${name%%==*}"
    cat >"$scratch/${name%%==*}/pyproject.toml" <<END
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "${name%%==*}"
version = "${name##*==}"
[tool.setuptools]
packages = []
END
    pip install --no-deps --no-index --no-build-isolation "$scratch/${name%%==*}"
done
pip install --no-deps --require-hashes --no-build-isolation -r requirements/omnizart-no-deps.lock

TF_CPP_MIN_LOG_LEVEL=3 PYTHONWARNINGS=ignore "$folder/bin/python" -c "import omnizart.chord.app"
finished=yes
echo "Omnizart is in $folder. Its chord weights are fetched by: $folder/bin/omnizart download-checkpoints"
