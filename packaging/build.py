# SPDX-License-Identifier: Apache-2.0
"""Builds what is handed out: `build.py deb [--machine M] [--version V]`, `dist`, `pin`."""

from __future__ import annotations

import argparse
import sys

import archive
import deb
import payload


def main() -> int:
    """Build what the command line asks for; print the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("deb", "dist", "pin"))
    parser.add_argument("--machine", choices=sorted(payload.MACHINES), default="amd64")
    parser.add_argument("--version", default=payload.version(), help="of the Debian package")
    wanted = parser.parse_args()
    try:
        if wanted.what == "deb":
            print(deb.build(wanted.machine, wanted.version))
        elif wanted.what == "dist":
            print(archive.build(wanted.machine))
        else:
            payload.pin()
            print(payload.PINS)
    except payload.BuildError as error:
        return _refuse(error)
    return 0


def _refuse(error: payload.BuildError) -> int:
    print(f"packaging: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
