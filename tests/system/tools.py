# SPDX-License-Identifier: Apache-2.0
"""What the tests of the system need of the machine: `python tests/system/tools.py` names the lack.

The tests run in a user and mount namespace of their own, in which they may mount what they like:
`unshare --map-root-user --mount python -m pytest tests/system`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys

#: Program: package of Debian.
PROGRAMS = {
    "unshare": "util-linux",
    "mount": "mount",
    "umount": "mount",
    "sh": "dash",
    "bash": "bash",
    "journalctl": "systemd",
    "man": "man-db",
}
#: Without these the others still run; a test that needs one says so and is left out.
OPTIONAL = {"php": "php-cli php-sqlite3"}
_TRY = "mount -t tmpfs none /mnt && echo 0 > /proc/sys/user/max_inotify_instances"


def missing() -> list[str]:
    """Return what is not there, in words; nothing if all is."""
    lacking = [
        f"the program {program} (Debian package {package})"
        for program, package in PROGRAMS.items()
        if shutil.which(program) is None
    ]
    if lacking:
        return lacking
    tried = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-c", _TRY],
        capture_output=True,
        text=True,
        check=False,
    )
    if tried.returncode:
        why = " ".join(tried.stderr.split())
        lacking.append(
            f"user namespaces with mounts (sysctl kernel.unprivileged_userns_clone): {why}"
        )
    return lacking


def left_out() -> list[str]:
    """Return the programs that only single tests need and that are not there, in words."""
    return [
        f"the program {program} (Debian packages {packages})"
        for program, packages in OPTIONAL.items()
        if shutil.which(program) is None
    ]


if __name__ == "__main__":
    for lack in left_out():
        sys.stderr.write(f"tests/system: some tests are left out without {lack}\n")
    found = missing()
    sys.exit("\n".join(f"tests/system: missing: {lack}" for lack in found) or 0)
