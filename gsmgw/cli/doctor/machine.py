# SPDX-License-Identifier: Apache-2.0
"""What the doctor asks of the operating system: accounts, processes, mounts, the systemd unit.

Reads files only, changes nothing, and needs no privileges; what may not be read is not known.

Known limits: access control lists are not looked at; of the unit only what is set in its own file
and its drop-ins.
"""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import re
import shlex
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from gsmgw.cli.doctor import sandbox as sandboxes
from gsmgw.spool import layout

#: Where the machine's own files are looked up; tests make a machine in a directory.
ROOT = Path("/")
#: In systemd's order: what comes first counts.
UNIT_FOLDERS = (
    *("etc/systemd/system", "run/systemd/system"),
    *("usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"),
)
_REMOTE = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "glusterfs")
_JOURNAL_TIMEOUT_S = 10.0


# -- accounts -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Account:
    """Who the daemon is: a user with all its groups."""

    name: str
    user_id: int
    groups: frozenset[int]

    def is_member(self, group: str) -> bool:
        """Tell whether files may be given to a group; False if there is no such group."""
        with contextlib.suppress(KeyError):
            return self.user_id == 0 or grp.getgrnam(group).gr_gid in self.groups
        return False

    def may(self, status: os.stat_result, bits: int) -> bool:
        """Tell whether the mode of a file lets this account read (4), write (2), execute (1)."""
        if self.user_id == 0:  # not even root runs what nobody may run
            return not bits & 1 or stat.S_ISDIR(status.st_mode) or bool(status.st_mode & 0o111)
        of_group = 3 if status.st_gid in self.groups else 0
        shift = 6 if status.st_uid == self.user_id else of_group
        return (status.st_mode >> shift) & bits == bits


def own_account() -> Account:
    """Return who runs this command."""
    user_id = os.geteuid()
    return Account(layout.owner_name(user_id), user_id, frozenset({os.getegid(), *os.getgroups()}))


def account_of_process(pid: int) -> Account | None:
    """Return who a process is, with the groups that it has now; None if it has gone."""
    try:
        lines = (ROOT / "proc" / str(pid) / "status").read_text("utf-8", "replace").splitlines()
    except OSError:
        return None
    facts = {key: value.split() for key, _, value in (line.partition(":") for line in lines)}
    try:
        user_id = int(facts["Uid"][1])
        groups = {int(facts["Gid"][1]), *map(int, facts.get("Groups", []))}
    except (KeyError, IndexError, ValueError):
        return None
    return Account(layout.owner_name(user_id), user_id, frozenset(groups))


def account_of_unit(unit: Unit) -> Account | None:
    """Return who a unit's process will be; None if its user or a group does not exist."""
    try:
        user = pwd.getpwnam(unit.user)
        groups = set(os.getgrouplist(user.pw_name, user.pw_gid))
        if unit.group:
            groups.add(grp.getgrnam(unit.group).gr_gid)
        groups |= {grp.getgrnam(name).gr_gid for name in unit.groups}
    except KeyError:
        return None
    return Account(unit.user, user.pw_uid, frozenset(groups))


def owner_of(path: Path) -> Account | None:
    """Return the owner of a file, with all groups; None if it is not there, or nobody's."""
    try:
        user = pwd.getpwuid(path.stat().st_uid)
    except (OSError, KeyError):
        return None
    groups = frozenset(os.getgrouplist(user.pw_name, user.pw_gid))
    return Account(user.pw_name, user.pw_uid, groups)


def has_user(name: str) -> bool:
    """Tell whether there is such a user."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def has_group(name: str) -> bool:
    """Tell whether there is such a group."""
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def group_name(group_id: int) -> str:
    """Return the name of a group, or its number."""
    try:
        return grp.getgrgid(group_id).gr_name
    except KeyError:
        return str(group_id)


def shown_mode(path: Path, status: os.stat_result) -> str:
    """Return owner, group and mode as `ls -l` has them."""
    owner, group = layout.owner_name(status.st_uid), group_name(status.st_gid)
    return f"{path}: {stat.filemode(status.st_mode)} {owner} {group}"


# -- processes ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Process:
    """A process of this machine."""

    pid: int
    name: str

    def __str__(self) -> str:
        """Return it as people look for it: `ModemManager[612]`."""
        return f"{self.name}[{self.pid}]"


def processes() -> Iterator[Process]:
    """Yield all processes that may be seen."""
    for place in sorted((ROOT / "proc").glob("[0-9]*")):
        try:
            yield Process(int(place.name), (place / "comm").read_text("utf-8", "replace").strip())
        except (OSError, ValueError):
            continue


def holders(path: str | Path) -> list[Process]:
    """Return the processes that have a file open, as far as they may be looked into."""
    target = os.path.realpath(path)
    return [process for process in processes() if _has_open(process.pid, target)]


def command_line(pid: int) -> list[str]:
    """Return the words with which a process was started; [] where they may not be seen."""
    try:
        octets = (ROOT / "proc" / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return octets.decode("utf-8", "replace").split("\0")[:-1]


def open_files(pid: int) -> list[str]:
    """Return the files that a process has open; [] where they may not be seen."""
    found = []
    with contextlib.suppress(OSError):
        for link in (ROOT / "proc" / str(pid) / "fd").iterdir():
            with contextlib.suppress(OSError):
                found.append(str(link.readlink()))
    return found


def has_terminals(pid: int) -> bool:
    """Tell whether a process plays the other end of pseudo terminals."""
    return _has_open(pid, "/dev/ptmx") or _has_open(pid, "/dev/pts/ptmx")


def _has_open(pid: int, target: str) -> bool:
    return target in open_files(pid)


# -- mounts ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mount:
    """The file system on which a path stands."""

    point: str
    kind: str
    is_read_only: bool

    @property
    def is_remote(self) -> bool:
        """Tell whether another machine holds it."""
        return self.kind in _REMOTE


#: Blanks, tabs, line ends and backslashes in a path of mountinfo.
_OCTAL = re.compile(r"\\([0-7]{3})")


def mount_of(path: Path) -> Mount | None:
    """Return the mount of a path, by proc_pid_mountinfo(5); None if it cannot be told."""
    try:
        text = (ROOT / "proc/self/mountinfo").read_text("utf-8", "replace")
    except OSError:
        return None
    real, best = os.path.realpath(path), None
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, kind = before.split(), after.split()
        if len(fields) < 6 or len(kind) < 3:
            continue
        point = _OCTAL.sub(lambda found: chr(int(found[1], 8)), fields[4])
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        if inside and (best is None or len(point) >= len(best.point)):
            options = {*fields[5].split(","), *kind[2].split(",")}
            best = Mount(point, kind[0], "ro" in options)
    return best


# -- systemd --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Unit:
    """What matters of gsmgw.service."""

    path: Path
    user: str = "root"
    group: str = ""
    groups: list[str] = field(default_factory=list)  #: supplementary
    config: Path = Path("/etc/gsmgw/gsmgw.yaml")
    sandbox: sandboxes.Sandbox = field(default_factory=sandboxes.Sandbox)
    #: what DeviceAllow names, None: all devices
    devices: list[str] | None = None
    credentials: list[str] = field(default_factory=list)  #: that systemd hands over by name
    is_enabled: bool = False
    #: the link to /dev/null by which somebody has forbidden systemd to start it
    masked_by: Path | None = None

    def lacks_device(self, port: str) -> str | None:
        """Return the class of a device that the daemon may not use; None if it may."""
        real = Path(os.path.realpath(port))
        # As /proc/devices names them: ttyUSB, ttyACM, pts.
        kind = f"char-{real.name.rstrip('0123456789') or real.parent.name}"
        if self.devices is None or {kind, "char-*", str(real), port} & set(self.devices):
            return None
        return kind


def unit(path: Path | None = None) -> Unit | None:
    """Return the service's unit with its drop-ins; None if none is installed.

    Args:
        path: a file to be read instead of the installed one; its drop-ins lie beside it.
    """
    folders = [ROOT / folder for folder in UNIT_FOLDERS]
    if path is not None:
        folders = [path.parent]
    else:
        files = [folder / "gsmgw.service" for folder in folders]
        path = next((file for file in files if file.is_file()), None)
    if path is None:
        return None
    drop_ins: dict[str, Path] = {}
    for folder in folders:
        for file in (folder / f"{path.name}.d").glob("*.conf"):
            drop_ins.setdefault(file.name, file)
    files = [path, *(drop_ins[name] for name in sorted(drop_ins))]
    settings = [setting for file in files for setting in _settings(file)]
    found = Unit(path, sandbox=sandboxes.read(settings))
    for key, value in settings:
        _take(found, key, value)
    wanted = (ROOT / folder / "multi-user.target.wants/gsmgw.service" for folder in UNIT_FOLDERS)
    found.is_enabled = any(os.path.lexists(link) for link in wanted)
    masks = (folder / path.name for folder in folders)
    found.masked_by = next((mask for mask in masks if _is_mask(mask)), None)
    return found


def _is_mask(path: Path) -> bool:
    return path.is_symlink() and os.path.realpath(path) == os.devnull


def _settings(path: Path) -> Iterator[tuple[str, str]]:
    try:
        text = path.read_text("utf-8", "replace").replace("\\\n", " ")
    except OSError:
        return
    for line in text.splitlines():
        key, is_setting, value = line.strip().partition("=")
        if is_setting and not key.startswith(("#", ";")):
            yield key.strip(), value.strip()


def _take(found: Unit, key: str, value: str) -> None:
    """Take over one setting; of lists an empty value removes what stood there before."""
    if key == "User":
        found.user = value or "root"
    elif key == "Group":
        found.group = value
    elif key == "SupplementaryGroups":
        found.groups = [*found.groups, *value.split()] if value else []
    elif key == "ExecStart":
        found.config = _config_of(value) or found.config
    elif key in ("LoadCredential", "LoadCredentialEncrypted", "SetCredential"):
        found.credentials.append(value.partition(":")[0])
    elif key == "DeviceAllow":
        found.devices = [*(found.devices or []), value.split()[0]] if value else None


def _config_of(command: str) -> Path | None:
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--config" and following:
            return Path(following)
        if word.startswith("--config="):
            return Path(word.partition("=")[2])
    return None


# -- the log --------------------------------------------------------------------------------------


def log_lines(count: int) -> list[str]:
    """Return the newest warnings and errors of the journal; blocks up to some seconds.

    [] where there is no journal, or it may not be read.
    """
    command = ["journalctl", "-u", "gsmgw", "-p", "warning", "-n", str(count), "-q"]
    command += ["--no-pager", "-o", "short-iso"]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed argument list, no shell
            command, capture_output=True, timeout=_JOURNAL_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return []
    text = done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""
    return [line for line in text.splitlines() if line.strip()]
