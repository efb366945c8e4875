"""Copies of the repository for the installer to install, at a path with a space in it."""

import shutil
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
NEEDED = ("pyproject.toml", "README.md", "LICENSE", "install.sh", "skill", "skills", "mcp_server")

_PYPROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "clawswarm"
dynamic = ["version", "dependencies"]

[project.scripts]
swarm = "clawswarm.version:main"

[dependency-groups]
test = ["pytest", "pytest-xdist"]
"""

_MODULE = """\
import sys

__version__ = "{version}"


def main():
    print("swarm", __version__ if sys.argv[1:] == ["--version"] else sys.argv[1:])
    sys.exit(3 if "diagnose" in sys.argv else 0)  # no model is configured
"""

_BACKEND = """\
import os, zipfile

INFO = "clawswarm-{version}.dist-info/"


def build_wheel(folder, config_settings=None, metadata_directory=None, editable=False):
    name = "clawswarm-{version}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        if editable:
            wheel.writestr("clawswarm.pth", os.path.abspath("skill"))
        else:
            wheel.write("skill/clawswarm/version.py", "clawswarm/version.py")
        about = "Metadata-Version: 2.1\\nName: clawswarm\\nVersion: {version}\\n{needs}"
        wheel.writestr(INFO + "METADATA", about)
        wheel.writestr(INFO + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(INFO + "entry_points.txt", "[console_scripts]\\nswarm = clawswarm.version:main\\n")
        wheel.writestr(INFO + "RECORD", "")
    return name


def build_editable(folder, config_settings=None, metadata_directory=None):
    return build_wheel(folder, editable=True)
"""


def copy_repository(clone: Path) -> Path:
    """What the installer needs of this repository."""
    clone.mkdir(parents=True)
    for name in NEEDED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, clone / name)
    return clone


def write_stub(clone: Path, version: str, needs: str = "") -> Path:
    """The real installer around a package that builds itself and needs nothing, not even a network.

    Args:
        clone: where it goes; an earlier stub there becomes this version.
        version: what `swarm --version` will say.
        needs: a distribution that the package requires.
    """
    package = clone / "skill" / "clawswarm"
    package.mkdir(parents=True, exist_ok=True)
    shutil.copy2(REPOSITORY / "install.sh", clone / "install.sh")
    shutil.copytree(REPOSITORY / "skills", clone / "skills", dirs_exist_ok=True)
    (clone / "pyproject.toml").write_text(_PYPROJECT)
    requires = f"Requires-Dist: {needs}\\n" if needs else ""
    (clone / "backend.py").write_text(_BACKEND.format(version=version, needs=requires))
    (package / "version.py").write_text(_MODULE.format(version=version))
    return clone


def write_wheel(folder: Path, name: str) -> None:
    """A distribution of that name, version 1.0, with nothing in it."""
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
