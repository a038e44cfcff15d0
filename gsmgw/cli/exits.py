# SPDX-License-Identifier: Apache-2.0
"""How a command ends: an error becomes one clear line on stderr and an exit code of sysexits.h."""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from gsmgw import errors
from gsmgw.cli import display

OK = 0
USAGE = 64  #: EX_USAGE: the command was typed wrongly
DATA = 65  #: EX_DATAERR: a number, a text, a PDU or a file is wrong
UNAVAILABLE = 69  #: EX_UNAVAILABLE: something that is needed is not there (daemon, modem)
CANNOT_CREATE = 73  #: EX_CANTCREAT: a file cannot be made
IO = 74  #: EX_IOERR: reading or writing failed, or the disk is full
TRY_LATER = 75  #: EX_TEMPFAIL: the database is busy
CONFIG = 78  #: EX_CONFIG: the configuration is wrong, or the database is of a newer gsmgw
INTERRUPTED = 130  #: 128 + SIGINT, as shells have it
PIPE_CLOSED = 141  #: 128 + SIGPIPE, as shells have it

#: The first class that fits decides.
_CODES: tuple[tuple[type[Exception], int], ...] = (
    (errors.ConfigError, CONFIG),
    (errors.StoreTooNewError, CONFIG),
    (errors.StoreDamagedError, DATA),
    (errors.StoreBusyError, TRY_LATER),
    (errors.StoreError, IO),
    (errors.RejectedError, DATA),
    (errors.PduError, DATA),
    (errors.ModemError, UNAVAILABLE),
    (errors.GsmgwError, DATA),
)


#: What a command may end with; anything else is a mistake of ours and shows where it was made.
ENDINGS = (click.ClickException, click.Abort, errors.GsmgwError, OSError, KeyboardInterrupt)


class CommandError(click.ClickException):
    """A command cannot go on: one line of words for a person, and the exit code."""

    def __init__(self, message: str, exit_code: int = UNAVAILABLE) -> None:
        super().__init__(message)
        self.code = exit_code


def exit_code(error: BaseException) -> int:
    """Return the exit code of an error."""
    if isinstance(error, OSError):
        cannot_create = error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.EEXIST)
        return CANNOT_CREATE if cannot_create else IO
    return next((code for kind, code in _CODES if isinstance(error, kind)), IO)


def complain(*lines: str) -> None:
    """Write lines to stderr, safe for a terminal; a stderr that is gone is no reason to fail."""
    try:
        for line in lines:
            click.echo(display.safe(line), err=True)
    except OSError:
        return


def finish(error: BaseException) -> NoReturn:
    """End the process because of one of `ENDINGS`: say it in one line, and exit with its code.

    Raises:
        SystemExit: always.
    """
    if isinstance(error, BrokenPipeError):
        _silence_stdout()
        sys.exit(PIPE_CLOSED)
    if isinstance(error, KeyboardInterrupt | click.Abort):
        sys.exit(INTERRUPTED)
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        sys.exit(USAGE)
    if isinstance(error, click.UsageError):
        _explain_usage(error)
        sys.exit(USAGE)
    if isinstance(error, click.ClickException):
        complain(f"gsmgw: {error.format_message()}")
        sys.exit(error.code if isinstance(error, CommandError) else IO)
    if isinstance(error, errors.ConfigError):
        complain(*(f"gsmgw: {problem}" for problem in error.problems))
        sys.exit(CONFIG)
    if isinstance(error, OSError):
        complain(f"gsmgw: {explain_os_error(error)}")
        _silence_stdout()
    else:
        complain(f"gsmgw: {error}")
    sys.exit(exit_code(error))


@contextlib.contextmanager
def ends_at_sigterm() -> Iterator[None]:
    """Let SIGTERM end the block in order, so that nothing is left behind. Main thread only."""

    def leave(_number: int, _frame: FrameType | None) -> None:
        sys.exit(OK)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def explain_os_error(error: OSError) -> str:
    """Say what a failed system call means for a person: which file, and what is wrong with it."""
    words = error.strerror or str(error)
    if not error.filename:
        return f"output: {words}"
    name = os.fsdecode(error.filename)
    way = way_in(Path(name), os.R_OK) if isinstance(error, PermissionError) else None
    return f"{name}: {words}{f'; {way}' if way else ''}"


def way_in(path: Path, wanted: int) -> str | None:
    """Return how this user gets at a file that its rights keep from him; None if they do not.

    Args:
        path: the file, or a directory.
        wanted: os.R_OK, os.W_OK and os.X_OK, added up; directories above it are entered.
    """
    real = Path(os.path.realpath(path))
    for place in (*reversed(real.parents), real):
        bits = wanted if place == real else os.X_OK
        if os.access(place, bits):
            continue
        try:
            status = place.stat()
        except OSError:
            return None  # it is not there
        return _way_past(status, bits)
    return None


def _way_past(status: os.stat_result, bits: int) -> str | None:
    """Return how one more member of its group, or root, gets past a file."""
    name, user_id, groups = _person()
    of_group = 3 if status.st_gid in groups else 0
    shift = 6 if status.st_uid == user_id else of_group
    if (status.st_mode >> shift) & bits == bits:
        return None  # a disk that is read-only, say
    if not (status.st_gid and (status.st_mode >> 3) & bits == bits):
        return "run it with sudo"
    group, members = _group(status.st_gid)
    if name in members:
        return f"you are in group {group} since your last login: log out, and in again"
    return f"run it with sudo, or join the group: sudo adduser {name} {group}, and log in anew"


def _person() -> tuple[str, int, frozenset[int]]:
    """Return who runs this command: name, number and groups."""
    user_id = os.geteuid()
    try:
        name = pwd.getpwuid(user_id).pw_name
    except KeyError:
        name = str(user_id)
    return name, user_id, frozenset({os.getegid(), *os.getgroups()})


def _group(number: int) -> tuple[str, list[str]]:
    """Return the name of a group, and who is a member from the next login on."""
    try:
        found = grp.getgrgid(number)
    except KeyError:
        return str(number), []
    return found.gr_name, found.gr_mem


def _explain_usage(error: click.UsageError) -> None:
    context = error.ctx
    complain(f"gsmgw: {error.format_message()}")
    if context is not None:
        complain(f"usage: {' '.join(context.get_usage().removeprefix('Usage: ').split())}")
        complain(f"more:  {context.command_path} --help")


def _silence_stdout() -> None:
    """Keep the interpreter from complaining about what it cannot flush at its end."""
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return
