# SPDX-License-Identifier: Apache-2.0
"""What is done to the machine, each step shown first as the command that does it by hand.

On failure a step says what went wrong and raises; what was done before stays done, and the command
can be typed again: every step may be repeated.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import signal
import stat
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from gsmgw import config
from gsmgw.cli import display, exits
from gsmgw.cli.doctor import machine
from gsmgw.clock import Clock

#: systemctl waits for the service to say that it is ready.
_SYSTEMCTL_TIMEOUT_S = 120.0
_FOLDER_MODE = 0o2770


@dataclass(frozen=True, slots=True)
class Owner:
    """To whom files are given; None where we are not root or there is no such user: to us."""

    user: str | None = None
    group: str | None = None

    @property
    def options(self) -> str:
        """The options of install(1) that say it."""
        given = (("-o", self.user), ("-g", self.group))
        return "".join(f"{option} {name} " for option, name in given if name)

    def give(self, target: Path | int) -> None:
        """Give a file to it.

        Raises:
            OSError: it cannot be given.
        """
        user = -1 if self.user is None else pwd.getpwnam(self.user).pw_uid
        group = -1 if self.group is None else grp.getgrnam(self.group).gr_gid
        if (user, group) != (-1, -1):
            os.chown(target, user, group)


def daemon_owner() -> Owner:
    """Return who the daemon of this machine is, as far as files can be given to it."""
    unit = machine.unit()
    user = "gsmgw" if unit is None else unit.user
    group = "gsmgw" if unit is None else unit.group or unit.user
    if os.geteuid() != 0 or not machine.has_user(user):
        return Owner()
    return Owner(user, group if machine.has_group(group) else None)


def rights_of(path: Path) -> tuple[Owner, int]:
    """Return owner and mode of a file, for the one that replaces it; blocks for a look.

    Raises:
        OSError: it is not there.
    """
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if os.geteuid() != 0:
        return Owner(), mode
    try:
        user, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid).gr_name
    except KeyError:  # an account that is gone
        return Owner(), mode
    return Owner(user, group), mode


def copy_name(path: Path, clock: Clock) -> Path:
    """Return where the copy of a file is kept that is replaced now."""
    return path.with_name(f"{path.name}.before-{clock.now():%Y%m%dT%H%M%SZ}")


def program(config_path: Path) -> str:
    """Return how a person calls gsmgw: with the configuration named only where that is needed."""
    if config_path == config.find():
        return "gsmgw"
    return f"gsmgw --config {shlex.quote(str(config_path))}"


def run_by_hand(config_path: Path, owner: Owner) -> str:
    """Return the command that runs the daemon without systemd."""
    command = f"gsmgw --config {shlex.quote(str(config_path))} run"
    return f"sudo -u {owner.user} {command}" if owner.user else command


class Steps:
    """Does things to the machine, or only shows them."""

    def __init__(self, *, is_dry: bool, is_quiet: bool = False) -> None:
        self.is_dry = is_dry
        self._is_quiet = is_quiet

    def show(self, command: str) -> None:
        """Show a command as a person would type it."""
        if not self._is_quiet:
            click.echo(f"  $ {display.safe(command)}")

    def run(self, words: Sequence[str]) -> bool:
        """Run a command of the system; return whether it succeeded. May block for two minutes."""
        self.show(shlex.join(words))
        if self.is_dry:
            return True
        try:
            done = subprocess.run(  # noqa: S603 - a fixed argument list, no shell
                list(words), capture_output=True, timeout=_SYSTEMCTL_TIMEOUT_S, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            click.echo(f"    {display.safe(error)}")
            return False
        for line in done.stderr.decode("utf-8", "replace").splitlines():
            click.echo(f"    {display.safe(line)}")
        return done.returncode == 0

    def signal(self, pid: int) -> bool:
        """Tell a daemon to read its configuration anew; return whether it could be told."""
        self.show(f"kill -HUP {pid}")
        if self.is_dry:
            return True
        try:
            os.kill(pid, signal.SIGHUP)
        except OSError as error:
            click.echo(f"    {display.safe(error.strerror)}")
            return False
        return True

    def folder(self, path: Path, owner: Owner) -> None:
        """Make a folder of the daemon's with those above it, if it is not there.

        Raises:
            OSError: it cannot be made.
        """
        if path.is_dir():
            return
        self.show(f"install -d -m {_FOLDER_MODE:o} {owner.options}{shlex.quote(str(path))}")
        if not self.is_dry:
            path.mkdir(parents=True)
            owner.give(path)
            path.chmod(_FOLDER_MODE)  # chown takes the setgid bit away

    def install(self, path: Path, content: str, *, mode: int, owner: Owner, what: str) -> None:
        """Write a file, whole or not at all; it is on disk when this returns.

        Args:
            path: the file; its directory is made if needed.
            content: what it holds.
            mode: its rights.
            owner: to whom it belongs.
            what: how the content is called where the step is shown.

        Raises:
            OSError: it cannot be written; the old file is still there.
        """
        self.show(f"install -m {mode:04o} {owner.options}{what} {shlex.quote(str(path))}")
        if self.is_dry:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, aside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), mode)
                owner.give(file.fileno())
                os.fsync(file.fileno())
            Path(aside).replace(path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)

    def keep(self, path: Path, copy: Path) -> None:
        """Copy a file beside itself, with its rights, before it is replaced.

        Raises:
            OSError: it cannot be copied.
        """
        self.show(f"cp -p {shlex.quote(str(path))} {shlex.quote(str(copy))}")
        if self.is_dry:
            return
        status = path.stat()
        with copy.open("xb") as file:
            os.fchmod(file.fileno(), status.st_mode & 0o777)
            if os.geteuid() == 0:
                os.fchown(file.fileno(), status.st_uid, status.st_gid)
            file.write(path.read_bytes())
            file.flush()
            os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_writable(path: Path) -> None:
    """Say at once, before any question, that a file cannot be written.

    Raises:
        CommandError: it cannot.
    """
    folder = path.parent
    while not folder.exists():
        folder = folder.parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise exits.CommandError(
            f"you may not write {path} ({machine.shown_mode(folder, folder.stat())});"
            " as root: sudo gsmgw setup. To look only: gsmgw setup --dry-run",
            exits.CANNOT_CREATE,
        )
