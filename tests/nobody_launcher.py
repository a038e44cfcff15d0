# SPDX-License-Identifier: Apache-2.0
"""Runs a program as another user, started by root: `nobody_launcher.py GROUP -m MODULE ARG…`.

The interpreter may lie where only root gets to, so the process keeps the right to read and search
everywhere (CAP_DAC_READ_SEARCH), and none to write. With `-c CODE ARG…` it runs that.
"""

from __future__ import annotations

import ctypes
import os
import runpy
import signal
import sys

NOBODY = 65534
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS = 1, 8
#: _LINUX_CAPABILITY_VERSION_3, capabilities(7), and the number of the capability.
_VERSION, _DAC_READ_SEARCH = 0x20080522, 2


def become_nobody(group: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([group])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    header = (ctypes.c_uint32 * 2)(_VERSION, 0)
    bit = 1 << _DAC_READ_SEARCH
    sets = (ctypes.c_uint32 * 6)(bit, bit, 0, 0, 0, 0)  # effective, permitted, inheritable
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)  # which a new user forgets


if __name__ == "__main__":
    group, how, what = int(sys.argv[1]), sys.argv[2], sys.argv[3]
    sys.path.pop(0)
    sys.argv = [what, *sys.argv[4:]]
    become_nobody(group)
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(what, {"__name__": "__main__"})
