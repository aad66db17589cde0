"""A stand-in for the package index: tiny packages in a folder, and a watched pip.

pip itself does the work, as in the course; it only finds a folder instead of an index.
`python -m pip` passes through a small program that notes each call and, when told to,
waits in the middle of the download, so that tests can count and interrupt.
"""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

from course_utils.assets import store
from course_utils.assets.catalogue import ASSETS, Asset, Package

ROOT = Path(__file__).resolve().parents[1]

WATCHED_PIP = """
import os, runpy, sys, time
from pathlib import Path

with open(os.environ["COURSE_PIP_LOG"], "a") as log:
    log.write(f"{os.getpid()}\\n")
if os.environ.get("COURSE_PIP_HANGS"):
    Path(os.environ["TMPDIR"], "half.whl").write_bytes(b"half of a wheel")
    parent, latest = os.getppid(), time.time() + 20
    while os.getppid() == parent and time.time() < latest:  # until the caller is killed
        time.sleep(0.02)
    sys.exit(1)
time.sleep(float(os.environ.get("COURSE_PIP_DELAY", "0")))
here = Path(__file__).parents[1]
sys.path = [entry for entry in sys.path if Path(entry).resolve() != here.resolve()]
for name in [name for name in sys.modules if name.split(".")[0] == "pip"]:
    del sys.modules[name]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""

# A build backend that lies in the source distribution itself and needs no other
# package: pip then asks no index for setuptools when it reads the metadata.
BACKEND = """
from pathlib import Path

METADATA = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"


def prepare_metadata_for_build_wheel(metadata_directory, config_settings=None):
    folder = Path(metadata_directory, "{stem}-{version}.dist-info")
    folder.mkdir()
    (folder / "METADATA").write_text(METADATA)
    return folder.name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    raise RuntimeError("the course must not build packages")
"""


class Index:
    """A folder of packages that pip takes for the index, and an empty cache."""

    def __init__(self, folder: Path, monkeypatch) -> None:
        self.monkeypatch = monkeypatch
        self.packages = folder / "packages"
        self.cache = folder / "cache"
        self._log = folder / "pip_calls.log"
        watch = folder / "watch" / "pip"
        for path in (self.packages, watch):
            path.mkdir(parents=True)
        (watch / "__init__.py").write_text("")
        (watch / "__main__.py").write_text(WATCHED_PIP)
        path = [str(watch.parent), str(ROOT), os.environ.get("PYTHONPATH", "")]
        environment = {
            "PYTHONPATH": os.pathsep.join(filter(None, path)),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.packages),
            "SFT_COURSE_CACHE": str(self.cache),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "COURSE_PIP_LOG": str(self._log),
        }
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        for variable in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL"):
            monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(store, "_checked", set())

    @property
    def calls(self) -> list[int]:
        """Process ids of the calls of pip so far."""
        if not self._log.exists():
            return []
        return [int(line) for line in self._log.read_text().split()]

    def wheel(self, name: str, files: dict[str, str | bytes], **options) -> Package:
        """Put a wheel with these members into the folder and return its pin."""
        path = self.packages / f"{name.replace('-', '_')}-1.0-py3-none-any.whl"
        path.write_bytes(wheel_bytes(name, files))
        return pin(path, name, **options)

    def sdist(self, name: str, files: dict[str, str | bytes], **options) -> Package:
        """Put a source distribution into the folder and return its pin."""
        stem = name.replace("-", "_")
        backend = BACKEND.format(name=name, stem=stem, version="1.0")
        project = '[build-system]\nrequires = []\nbuild-backend = "backend"\n'
        members = {
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            "pyproject.toml": project + 'backend-path = ["."]\n',
            "backend.py": backend,
            **files,
        }
        path = self.packages / f"{stem}-1.0.tar.gz"
        path.write_bytes(
            tar_bytes({f"{stem}-1.0/{name}": data for name, data in members.items()})
        )
        return pin(path, name, sdist=True, **options)

    def add(self, name: str, *packages: Package, required=("a.txt",)) -> Asset:
        """Enter an asset into the catalogue until the test ends."""
        asset = Asset(name, f"toy asset {name}", "MIT", packages, tuple(required))
        self.monkeypatch.setitem(ASSETS, name, asset)
        return asset

    def start_fetch(self, asset: Asset) -> subprocess.Popen:
        """Start another Python that fetches the asset and prints what is wrong."""
        code = (
            # A shell that runs the tests in the background lets its children ignore Ctrl-C.
            "import signal\n"
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from course_utils.assets import fetch, verify\n"
            "from course_utils.assets.catalogue import ASSETS, Asset, Package\n"
            f"ASSETS[{asset.name!r}] = {asset!r}\n"
            f"fetch({asset.name!r})\n"
            f"print(verify({asset.name!r}))\n"
        )
        return subprocess.Popen(
            [sys.executable, "-u", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for_pip(self, process: subprocess.Popen) -> int:
        """Return pip's process id once it is in the middle of its download."""
        for _ in range(500):
            if self.calls and any(self.cache.rglob("half.whl")):
                return self.calls[0]
            if process.poll() is not None:
                raise AssertionError(process.communicate()[1])
            time.sleep(0.02)
        process.kill()
        raise AssertionError("pip was not called within ten seconds")

    def contents(self) -> set[str]:
        """Names in the cache folder, but for the locks."""
        return {p.name for p in self.cache.glob("*") if p.suffix != ".lock"}


def pin(path: Path, name: str, **options) -> Package:
    """Describe a package's file as the catalogue does."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    options = {"members": ("*",), **options}
    return Package(f"{name}==1.0", digest, len(content) / 1e6, **options)


def wheel_bytes(name: str, files: dict[str, str | bytes]) -> bytes:
    """Make a wheel that pip accepts; the same files always give the same bytes."""
    info = f"{name.replace('-', '_')}-1.0.dist-info"
    tag = "Root-Is-Purelib: true\nTag: py3-none-any\n"
    return zip_bytes(
        {
            **files,
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\n{tag}",
            f"{info}/RECORD": "",
        }
    )


def zip_bytes(files: dict[str, str | bytes]) -> bytes:
    """Make a zip file; its dates are fixed, so its hash is too."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, data in files.items():
            zipped.writestr(zipfile.ZipInfo(name), data)
    return buffer.getvalue()


def tar_bytes(files: dict[str, str | bytes]) -> bytes:
    """Make a .tar.gz file."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in files.items():
            content = data.encode() if isinstance(data, str) else data
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return buffer.getvalue()
