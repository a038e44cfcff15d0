# SPDX-License-Identifier: Apache-2.0
"""`under_filter.py UNIT PROGRAM ARGUMENT…`: runs a program under the system call filter of a unit.

As systemd does it where it is the first process, by the same library and the same sets of calls
(systemd.exec(5), "System Call Filtering"); runs inside the machine, with its own Python.
"""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000


def sets() -> dict[str, list[str]]:
    """Return systemd's sets of calls, each with its calls and further sets."""
    command = ["systemd-analyze", "syscall-filter"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, list[str]] = {}
    for line in shown.splitlines():
        if line.startswith("@"):
            current = found.setdefault(line.strip(), [])
        elif line.startswith("    ") and not line.strip().startswith("#"):
            current.append(line.strip())
    return found


def calls(word: str, known: dict[str, list[str]]) -> set[str]:
    """Return the calls of a set, or the call itself."""
    if not word.startswith("@"):
        return {word}
    return {call for below in known[word] for call in calls(below, known)}


def allowed(settings: list[tuple[str, str]]) -> set[str]:
    """Return the calls that a unit leaves; the first line of its filter must allow some."""
    known = sets()
    left = calls("@default", known)
    for key, value in settings:
        if key == "SystemCallFilter":
            named = {call for word in value.lstrip("~").split() for call in calls(word, known)}
            left = left - named if value.startswith("~") else left | named
    return left


def main() -> None:
    """Load the filter into this process and become the program."""
    lines = Path(sys.argv[1]).read_text("utf-8").splitlines()
    settings = [(key, value) for key, _, value in (line.partition("=") for line in lines)]
    error = dict(settings).get("SystemCallErrorNumber")
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(
        library.seccomp_init(_KILL if error is None else _ERRNO | getattr(errno, error))
    )
    for name in sorted(allowed(settings)):
        number = library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:  # others are of other processors
            assert library.seccomp_rule_add(context, _ALLOW, number, 0) == 0, name
    assert library.seccomp_load(context) == 0
    os.execvp(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
