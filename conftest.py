"""Notebooks run without a network: a filled cache must be enough for every lesson."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from course_utils import lessons

ROOT = Path(__file__).resolve().parent
GUARD = ROOT / "tests" / "no_network"  # holds a sitecustomize.py
LOG = pytest.StashKey[Path]()


def pytest_configure(config):
    """Share the cores; choose the file in which attempts to leave this machine are noted."""
    if workers := int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0")):
        # Two notebooks with a core each are done sooner than one after the other with two.
        threads = str(max(1, (os.cpu_count() or 1) // workers))
        for name in ("SFT_COURSE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
            os.environ.setdefault(name, threads)
    config.stash[LOG] = Path(tempfile.mkdtemp(prefix="network-")) / "attempts.log"


def pytest_collection_modifyitems(items):
    """Skip lessons that lack packages; fill the cache, while there is a network."""
    for item in items:
        a_lesson = item.path.parent == ROOT / "notebooks"
        if a_lesson and (lacking := lessons.lacking(item.path.name[:2])):
            reason = f"no {', '.join(lacking)} here: make test-tensorflow"
            item.add_marker(pytest.mark.skip(reason=reason))
    if any(item.path.parent == ROOT / "notebooks" for item in items):
        fetch = [sys.executable, "-m", "course_utils.assets", "fetch"]
        subprocess.run(fetch, cwd=ROOT, check=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Start the kernel of a notebook with the guard on its path."""
    if item.path.suffix != ".ipynb":
        return (yield)
    path = [str(GUARD), os.environ.get("PYTHONPATH", "")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
        patch.setenv("COURSE_NETWORK_LOG", str(item.config.stash[LOG]))
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Fail the cell that asked for another machine, even if it went on without."""
    outcome = yield
    log = item.config.stash[LOG]
    if item.path.suffix == ".ipynb" and log.exists():
        hosts = sorted(set(log.read_text().split()))
        log.unlink()
        pytest.fail(f"Expected a cell that needs no network; it asked for {hosts}.")
    return outcome
