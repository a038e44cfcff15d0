# SPDX-License-Identifier: Apache-2.0
"""Becomes a program that ends when its parent does: `mortal_launcher.py SIGNAL PARENT COMMAND…`.

A test that is killed takes nothing down. Its daemon would go on, and open a pseudo terminal whose
number has long been given to another test: there, the port is "held by another program".
The kernel remembers the wish over exec, so process id and command line are the program's own.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def command(program: list[str], ending: signal.Signals = signal.SIGKILL) -> list[str]:
    """Return the command that runs a program, named by its whole path, no longer than us."""
    launcher = [sys.executable, "-I", "-S", __file__]
    return [*launcher, str(ending.value), str(os.getpid()), *program]


def main() -> None:
    ending, parent, *program = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(ending), 0, 0, 0)
    if os.getppid() != int(parent):  # died before it was asked for
        return
    # What is ignored stays so over exec: SIGPIPE by Python, Ctrl-C by a shell in the background.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(program[0], program)


if __name__ == "__main__":
    main()
