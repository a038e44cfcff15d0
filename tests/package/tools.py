# SPDX-License-Identifier: Apache-2.0
"""What the tests of the packages need of the machine; `python tests/package/tools.py` names it.

They run in a mount and process namespace of their own, in which they may mount what they like and
leave no process behind; `tools.py --namespace` prints the words to begin the command with.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import debian_support

#: Program: package of Debian.
PROGRAMS = {
    "unshare": "util-linux",
    "mount": "mount",
    "chroot": "coreutils",
    "debootstrap": "debootstrap",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
    "systemd-analyze": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
    "journalctl": "systemd",
}
PYTHON = os.environ.get("DEB_PYTHON", "/usr/bin/python3")
#: Processes end with the tests, and what is mounted is not seen outside.
NAMESPACE = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
_TRY = "mount -t tmpfs none /mnt && mkdir /mnt/x && chown 12:34 /mnt/x && mknod /mnt/n c 1 3"


def missing() -> list[str]:
    """Return what is not there, in words; nothing if all is."""
    lacking = [
        f"the program {program} (Debian package {package})"
        for program, package in PROGRAMS.items()
        if shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/sbin") is None
    ]
    asked = [PYTHON, "-c", "import ensurepip, sys; sys.exit(sys.version_info[:2] != (3, 11))"]
    try:
        is_python = subprocess.run(asked, capture_output=True, check=False).returncode == 0
    except OSError:
        is_python = False
    if not is_python:
        lacking.append(f"Debian 12's Python 3.11 with venv as {PYTHON} (package python3-venv)")
    lacking += _missing_debian()
    if lacking:
        return lacking
    done = subprocess.run(
        [*NAMESPACE, "sh", "-c", _TRY], capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = " ".join(done.stderr.split())
        lacking.append(f"mounts and device nodes in a namespace of its own (root may): {why}")
    return lacking


def _missing_debian() -> list[str]:
    """Return that there is no Debian to be had, neither kept from before nor from the mirror."""
    if debian_support.image_path(debian_support.ROOT / ".cache").is_dir():
        return []
    if shutil.which("apt-get") is not None:
        address = debian_support.mirror()
        if address and debian_support.is_reachable(address):
            return []
    return [f"a mirror of Debian {debian_support.SUITE} that apt knows and that answers"]


if __name__ == "__main__":
    if sys.argv[1:] == ["--namespace"]:
        sys.stdout.write(" ".join(NAMESPACE) + "\n")
        sys.exit(0)
    found = missing()
    sys.exit("\n".join(f"tests/package: missing: {lack}" for lack in found) or 0)
