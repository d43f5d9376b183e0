"""Files of Debian packages without installing them."""

import subprocess
from pathlib import Path


def unpacked(tools: Path, path: str, *packages: str) -> Path:
    """``tools/path`` after the packages were downloaded and unpacked under ``tools``, unless it is there already.

    Raises FileNotFoundError with the line to type if apt cannot download them.
    """
    if not (tools / path).exists():
        tools.mkdir(parents=True, exist_ok=True)
        try:
            for package in packages:
                subprocess.run(["apt-get", "download", "-qq", package], cwd=tools, check=True, capture_output=True)
                for file in sorted(tools.glob(f"{package}_*.deb")):
                    subprocess.run(["dpkg-deb", "-x", str(file), str(tools)], check=True, capture_output=True)
                    file.unlink()
        except (OSError, subprocess.CalledProcessError) as error:
            message = f"{path} is missing and apt-get cannot download it: apt install {' '.join(packages)}"
            raise FileNotFoundError(message) from error
    if not (tools / path).exists():
        raise FileNotFoundError(f"{tools / path}: not in the packages {', '.join(packages)}")
    return tools / path
