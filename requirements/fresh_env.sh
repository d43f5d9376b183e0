# Sourced by the scripts that make an environment of their own, which have set `folder` (and `scratch`, if they need one):
# a new virtual environment there and `pip` for it. What is not finished is removed; a script ends with `finished=yes`.
python=${PYTHON:-python3.11}
finished=
clean() {
    [ -z "${scratch:-}" ] || rm -rf "$scratch"
    if [ -z "$finished" ]; then
        rm -rf "$folder"
        echo "${0##*/}: not finished, $folder is removed" >&2
    fi
}
trap clean EXIT
trap 'exit 1' HUP INT TERM

rm -rf "$folder"
"$python" -m venv "$folder"
pip() { "$folder/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
