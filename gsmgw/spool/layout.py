# SPDX-License-Identifier: Apache-2.0
"""The folders of the spool: where they are, their modes, what is wrong with them, what waits.

All but `.tmp` are group-writable and setgid, so that any program of the group can put files in and
take files out, whoever made them. `.tmp` is ours alone; it lies on the same file system, because a
rename is atomic only within one.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gsmgw.clock import Clock
from gsmgw.config import Config
from gsmgw.errors import GsmgwError
from gsmgw.gateway.health.record import Outgoing
from gsmgw.spool import files, names

FOLDER_MODE = 0o2770
PRIVATE_MODE = 0o2700


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders below the spool's root."""

    root: Path

    @property
    def outgoing(self) -> Path:
        """Where programs put files to be sent."""
        return self.root / "outgoing"

    @property
    def checked(self) -> Path:
        """Files that we have taken and not yet put away."""
        return self.root / "checked"

    @property
    def sent(self) -> Path:
        """Files whose messages the network took."""
        return self.root / "sent"

    @property
    def failed(self) -> Path:
        """Files that were not sent, with the reason."""
        return self.root / "failed"

    @property
    def incoming(self) -> Path:
        """What arrived: messages and missed calls."""
        return self.root / "incoming"

    @property
    def report(self) -> Path:
        """Status reports that were asked for."""
        return self.root / "report"

    @property
    def tmp(self) -> Path:
        """What we write before it is complete."""
        return self.root / ".tmp"

    def folder(self, name: str) -> Path:
        """Return the folder of a word that the store keeps: sent, failed, incoming or report."""
        return self.root / name

    def is_whole(self) -> bool:
        """Tell whether all folders are there."""
        return all(folder.is_dir() for folder, _ in self._folders())

    def make(self, group: str | None) -> None:
        """Make what is missing; blocks for a moment.

        Args:
            group: the folders' group, by name; None leaves what the parent or the process gives.

        Raises:
            GsmgwError: a folder is missing and cannot be made, is no folder, or we may not write
                there; the text says which, who we are, and what to do.
        """
        group_id = _group_id(group)
        for folder, mode in [(self.root, FOLDER_MODE), *self._folders()]:
            _make(folder, mode, group_id)
        devices = {folder.stat().st_dev for folder, _ in self._folders()}
        if len(devices) > 1:
            raise GsmgwError(
                f"the folders of {self.root} lie on several file systems; files cannot be renamed"
                " from one to another. Put all of them on one"
            )

    def _folders(self) -> list[tuple[Path, int]]:
        public = (self.outgoing, self.checked, self.sent, self.failed, self.incoming, self.report)
        return [*((folder, FOLDER_MODE) for folder in public), (self.tmp, PRIVATE_MODE)]


def free_name(folder: Path, name: str, *, taken: set[str]) -> str:
    """Return a name that is free in a folder: `X`, else `X.1`, `X.2` ...

    Args:
        folder: where to look.
        name: the name wished for.
        taken: names that are spoken for without being there yet.
    """
    found, number = name, 0
    while found in taken or files.look(folder / found) is not None:
        number += 1
        found = names.with_suffix(name, f".{number}")
    return found


def make_all(folders: Sequence[Path], group: str | None) -> None:
    """Make public folders that are missing, those above first; blocks for a moment.

    Raises:
        GsmgwError: as `Layout.make`.
    """
    group_id = _group_id(group)
    for folder in folders:
        _make(folder, FOLDER_MODE, group_id)


def _make(folder: Path, mode: int, group: int | None) -> None:
    status = files.look(folder)
    if status is None:
        try:
            files.make_folder(folder, mode, group)
        except OSError as error:
            raise GsmgwError(
                f"spool folder {folder} is missing and cannot be made ({error.strerror});"
                f" as root: install -d -m {mode:o} -o {_user()} {_group_option(group)}{folder}"
            ) from error
    elif not folder.is_dir():
        raise GsmgwError(f"spool folder {folder} is no folder; move away what stands there")
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        status = folder.stat()
        raise GsmgwError(
            f"spool folder {folder} (owner {owner_name(status.st_uid)}, group {status.st_gid}, mode"
            f" {stat.S_IMODE(status.st_mode):o}) is not readable and writable for"
            f" {_user()}; as root: chown {_user()} {folder} && chmod {mode:o} {folder}"
        )


def _group_id(group: str | None) -> int | None:
    if group is None:
        return None
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise GsmgwError(
            f"spool.group: there is no group {group!r}; as root: groupadd --system {group}"
        ) from error


def _group_option(group: int | None) -> str:
    return "" if group is None else f"-g {group} "


def _user() -> str:
    return owner_name(os.geteuid())


def owner_name(user_id: int) -> str:
    """Return the name of a user, or the number where it has none."""
    try:
        return pwd.getpwuid(user_id).pw_name
    except KeyError:
        return str(user_id)


def outgoing(config: Config, clock: Clock) -> Outgoing | None:
    """Count the files that wait for being taken; None if the folder cannot be looked into."""
    folder, now = Layout(config.spool.path).outgoing, clock.now().timestamp()
    ages: list[float] = []
    try:
        found = set(files.listing(folder))
        for name in found:
            if names.is_ignored(name) or name + names.LOCK_SUFFIX in found:
                continue
            status = files.look(folder / name)
            if status is not None and stat.S_ISREG(status.st_mode):
                # Moving a file in changes its inode, not its content.
                ages.append(max(0.0, now - max(status.st_mtime, status.st_ctime)))
    except OSError:
        return None
    return Outgoing(len(ages), max(ages, default=0.0))
