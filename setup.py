"""Maps the rooms at the top of the repository under one import name: ``pipeline/`` is ``fgmcaps.pipeline``."""

from setuptools import find_packages, setup

ROOMS = ("common", "schemas", "annotators", "captioning", "pipeline", "training")

setup(
    package_dir={"fgmcaps": "fgmcaps", **{f"fgmcaps.{room}": room for room in ROOMS}},
    packages=[
        "fgmcaps",
        *(f"fgmcaps.{found}" for room in ROOMS for found in find_packages(include=[room, f"{room}.*"])),
    ],
)
