# SPDX-License-Identifier: Apache-2.0
"""Builds what is handed out: `build.py deb [--version V]`, `dist`, `pin`."""

from __future__ import annotations

import argparse
import fcntl
import sys
from pathlib import Path

import archive
import deb
import payload


def main() -> int:
    """Build what the command line asks for; print the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("deb", "dist", "pin"))
    parser.add_argument("--machine", choices=sorted(payload.MACHINES), default="amd64")
    parser.add_argument("--version", default=payload.version(), help="of the Debian package")
    parser.add_argument("--output", type=Path, default=payload.DIST, help="directory of the file")
    parser.add_argument("--fast", action="store_true", help="pack the Debian package less tightly")
    wanted = parser.parse_args()
    payload.BUILD.mkdir(parents=True, exist_ok=True)
    with (payload.BUILD / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another build in this tree is let finish
        try:
            print(_build(wanted))
        except payload.BuildError as error:
            print(f"packaging: {error}", file=sys.stderr)
            return 1
    return 0


def _build(wanted: argparse.Namespace) -> Path:
    wanted.output.mkdir(parents=True, exist_ok=True)
    if wanted.what == "deb":
        return deb.build(wanted.machine, wanted.version, wanted.output, is_fast=wanted.fast)
    if wanted.what == "dist":
        return archive.build(wanted.machine, wanted.output)
    payload.pin()
    return payload.PINS


if __name__ == "__main__":
    sys.exit(main())
