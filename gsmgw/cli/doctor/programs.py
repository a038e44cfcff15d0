# SPDX-License-Identifier: Apache-2.0
"""Checks of programs that the daemon starts, the event handler and that of alarms: can they run."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from gsmgw import programs
from gsmgw.cli.doctor import places
from gsmgw.cli.doctor.installation import Installation
from gsmgw.gateway.health.trouble import Trouble

_LONGEST_FIRST_LINE = 256


def check(seen: Installation) -> Iterator[Trouble]:
    """Yield what keeps programs of the configuration from running; starts none of them."""
    if seen.config is None:
        return
    if seen.config.hooks.event:
        yield from _program(seen, seen.config.hooks.event[0], "the event handler", "hooks.event")
    if seen.config.alarms.hook:
        yield from _program(
            seen, seen.config.alarms.hook[0], "the program of alarms", "alarms.hook"
        )


def _program(seen: Installation, named: str, name: str, key: str) -> Iterator[Trouble]:
    program = Path(named)
    if not places.is_there(program):
        do = f"put it there, or take {key} out of the configuration"
        yield _unusable(program, f"{name} is not there", do)
        return
    refused = False
    run = places.READ | places.ENTER
    for trouble in places.forbidden(seen, program, run, f"sudo chmod a+rx {program}"):
        refused = True
        if trouble.name == "path.forbidden":
            what = trouble.what.replace("enter", "run")
            yield Trouble("warning", "hook.unusable", trouble.where, what, trouble.do)
    if not refused:
        yield from _content(program, name, key)


def _content(program: Path, name: str, key: str) -> Iterator[Trouble]:
    """Yield what the kernel would stumble over: execve(2), "Interpreter scripts"."""
    try:
        if not stat.S_ISREG(program.stat().st_mode):
            yield _unusable(program, f"{name} is no file", f"name the program itself as {key}")
            return
        if os.statvfs(program).f_flag & os.ST_NOEXEC:
            what = f"{name} lies on a file system from which nothing may be run (noexec)"
            yield _unusable(program, what, f"move it to /usr/local/bin, and correct {key}")
        with program.open("rb") as file:
            first = file.read(_LONGEST_FIRST_LINE).partition(b"\n")[0]
    except OSError:
        return  # it may be run, but not by us, or not be looked into
    if first.startswith(b"\x7fELF"):
        return
    if not first.startswith(b"#!"):
        what = f"{name} is neither a program nor a script: its first line does not begin with #!"
        do = f"write the interpreter into its first line, such as #!/bin/sh: {program}"
        yield _unusable(program, what, do)
    elif first.endswith(b"\r"):
        what = f"{name} has lines that end as on Windows, so that its interpreter is not found"
        yield _unusable(program, what, rf"sudo sed -i 's/\r$//' {program}")
    else:
        yield from _interpreter(program, name, first[2:].decode("utf-8", "replace").split())


def _interpreter(program: Path, name: str, words: list[str]) -> Iterator[Trouble]:
    do = f"correct the first line of {program}, or install what it names"
    if not words or not places.is_there(Path(words[0])):
        missing = words[0] if words else "nothing"
        yield _unusable(program, f"{name} wants {missing} in its first line: it is not there", do)
        return
    wanted = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    is_env = Path(words[0]).name == "env"
    if is_env and wanted and shutil.which(wanted[0], path=programs.PATH) is None:
        what = f"{name} wants {wanted[0]} in its first line, which is not in {programs.PATH}"
        yield _unusable(program, what, do)


def _unusable(program: Path, what: str, do: str) -> Trouble:
    return Trouble("warning", "hook.unusable", str(program), what, do)
