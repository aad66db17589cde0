"""`python -m course_utils.assets list | fetch [NAME …] | check [NAME …]`."""

from __future__ import annotations

import argparse
import sys

from course_utils.assets import ASSETS, cache_folder, fetch, verify
from course_utils.errors import CourseError


def main(arguments: list[str] | None = None) -> int:
    """List, fetch or check assets; return 0 if all is well, else 1."""
    parser = argparse.ArgumentParser(prog="python -m course_utils.assets")
    parser.add_argument("action", choices=["list", "fetch", "check"])
    parser.add_argument("names", nargs="*", help="assets; all of them if none is named")
    options = parser.parse_args(arguments)
    failed = False
    if options.action == "list":
        print(f"cache: {cache_folder()}")
    for name in options.names or ASSETS:
        try:
            if options.action == "fetch":
                fetch(name)
                print(f"{name}: ready")
            else:
                state = "; ".join(verify(name)) or "ready"
                failed |= options.action == "check" and state != "ready"
                asset = ASSETS[name]
                size = asset.packages[0].megabytes
                print(
                    f"{name:16} {size:6.1f} MB  {state:12}  {asset.title} [{asset.licence}]"
                )
        except CourseError as error:
            print(f"{name}: {error}", file=sys.stderr)
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
