#!/bin/sh
# Says what a make target lacks on this machine, before it starts: needs.sh TARGET NEED...
# A NEED is python (3.11 with venv), compiler (C++, and Python's headers), free:GB, env:FOLDER:TARGET, or a program and the
# package that brings it (mma:mma). All that is missing is named at once, each with the command that brings it.
target=$1
shift
python=${PYTHON:-python3.11}
found=

is_python() { "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; }
lacks() { found="$found
  - $1"; }

for need; do
    case $need in
    python)
        if ! is_python; then
            lacks "Python 3.11: apt install python3.11 python3.11-venv, or name yours by PYTHON=... ($python is not it)"
        elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            lacks "Python's venv: apt install python3.11-venv"
        fi
        ;;
    compiler)
        command -v "${CXX:-c++}" >/dev/null 2>&1 || lacks "a C++ compiler: apt install g++"
        if is_python && ! "$python" -c 'import os, sysconfig; open(os.path.join(sysconfig.get_path("include"), "Python.h"))' 2>/dev/null; then
            lacks "Python's headers: apt install python3.11-dev"
        fi
        ;;
    free:*)
        free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1000000) }')
        [ "$free" -ge "${need#free:}" ] || lacks "room: it takes ${need#free:} GB, and $free GB are free here"
        ;;
    env:*)
        rest=${need#env:}
        [ -x "${rest%%:*}/bin/python" ] || lacks "the environment ${rest%%:*}: make ${rest#*:}"
        ;;
    *)
        command -v "${need%%:*}" >/dev/null 2>&1 || lacks "${need%%:*}: apt install ${need#*:}"
        ;;
    esac
done

if [ -n "$found" ]; then
    echo "make $target needs$found" >&2
    exit 1
fi
