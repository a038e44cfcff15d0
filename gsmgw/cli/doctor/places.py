# SPDX-License-Identifier: Apache-2.0
"""Checks of files and directories: are they there, on a fit disk, and may the daemon use them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gsmgw.cli.doctor import machine, sandbox
from gsmgw.cli.doctor.installation import Installation
from gsmgw.config import Config
from gsmgw.gateway.health import disks, judgement, trouble
from gsmgw.gateway.health.trouble import Level, Trouble
from gsmgw.spool import layout, names
from gsmgw.spool.clinic import places as clinic

#: Rights, as in a mode.
READ, WRITE, ENTER = 4, 2, 1
_WORDS = {4: "read", 2: "write", 1: "enter"}
#: A program that writes a file holds its lock for seconds.
_LOCK_PATIENCE_S = 600.0
#: Kinds of file systems that know no owners and modes, and those that end with the power.
_WITHOUT_RIGHTS = ("vfat", "msdos", "exfat", "ntfs", "ntfs3", "fuseblk")
_IN_MEMORY = ("tmpfs", "ramfs")
#: Clocks of machines that wrote a file may differ by so much.
_CLOCK_SLACK_S = 3600.0
_SPOOL_FOLDERS = ("outgoing", "checked", "sent", "failed", "incoming", "report")


def check(seen: Installation) -> Iterator[Trouble]:
    """Yield what is wrong with the places that the configuration names."""
    config = seen.config
    if config is None:
        return
    yield from _config_file(seen)
    yield from _database(seen, config)
    yield from _spool(seen, config)
    yield from _unit_paths(seen, config)
    yield from _mounts(seen, config)
    yield from _future(seen, config)
    places = {"database": config.database.path.parent, "spool": config.spool.path}
    yield from judgement.judge_disks(disks.look(places))
    yield from _metrics(seen, config)


# -- rights ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lack:
    """A right that an account does not have."""

    path: Path  #: what stands in the way: the file itself, or a directory above it
    status: os.stat_result
    bits: int


def lack(path: Path, account: machine.Account, bits: int) -> Lack | None:
    """Return what keeps an account from a file; None if nothing does, or it is not there.

    Raises:
        OSError: we ourselves cannot look at it.
    """
    real = Path(os.path.realpath(path))
    for place in reversed(real.parents):
        status = place.stat()
        if not account.may(status, ENTER):
            return Lack(place, status, ENTER)
    if not real.exists():
        return None
    status = real.stat()
    return None if account.may(status, bits) else Lack(real, status, bits)


def forbidden(seen: Installation, path: Path, bits: int, do: str) -> Iterator[Trouble]:
    """Yield what keeps the daemon from a file."""
    try:
        found = lack(path, seen.account, bits)
    except FileNotFoundError:
        return
    except OSError as error:
        yield blind(str(path), error)
        return
    if found is None:
        return
    wanted = " and ".join(words for bit, words in _WORDS.items() if found.bits & bit)
    shown, where = machine.shown_mode(found.path, found.status), str(path)
    if found.path != Path(os.path.realpath(path)):
        where = str(found.path)  # one finding for all that lies below
        do = f"sudo chmod o+x {found.path}, or sudo chgrp {seen.group} {found.path}"
        do += f" && sudo chmod g+x {found.path}"
    what = f"the daemon (user {seen.user}) may not {wanted} it: {shown}"
    yield Trouble("error", "path.forbidden", where, what, do)


def blind(where: str, error: OSError) -> Trouble:
    """Say that something could not be looked at."""
    who = machine.own_account().name
    what = f"user {who} may not look at it ({error.strerror or error}); not all could be checked"
    return Trouble("warning", "doctor.blind", where, what, "sudo gsmgw doctor")


def _own(seen: Installation, path: Path, mode: str) -> str:
    return f"sudo chown {seen.user}:{seen.group} {path} && sudo chmod {mode} {path}"


def _config_file(seen: Installation) -> Iterator[Trouble]:
    do = f"sudo chgrp {seen.group} {seen.config_path} && sudo chmod g+r {seen.config_path}"
    for one in forbidden(seen, seen.config_path, READ, do):
        name = "config.unreadable" if one.name == "path.forbidden" else one.name
        yield Trouble(one.level, name, one.where, one.what, one.do)


def is_there(path: Path) -> bool:
    """Tell whether something is there; what cannot be looked at is told by `forbidden`."""
    try:
        return path.exists()
    except OSError:
        return True


def _database(seen: Installation, config: Config) -> Iterator[Trouble]:
    path = config.database.path
    folder = path.parent
    if not is_there(folder):
        do = f"sudo install -d -m 2770 -o {seen.user} -g {seen.group} {folder}"
        what = "the directory of the database does not exist"
        target = _dangling(folder)
        if target is not None:
            what += f": {target}, to which a link leads, is not there"
            do = "lsblk; sudo mount -a, if the disk of it is not mounted; else put the link right"
        yield Trouble("error", "store.directory_missing", str(folder), what, do)
        return
    yield from forbidden(seen, folder, READ | WRITE | ENTER, _own(seen, folder, "2770"))
    lock = path.with_name(path.name + ".lock")
    for file in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm")), lock):
        yield from forbidden(seen, file, READ | WRITE, _own(seen, file, "0660"))
    yield from _too_open(folder, path)


def _spool(seen: Installation, config: Config) -> Iterator[Trouble]:
    root = config.spool.path
    if os.path.lexists(root) and not _is_folder(root):
        yield from _no_folder(root)
        return
    if not is_there(root):
        yield from _no_spool(seen, root)
        return
    folders = [root / name for name in _SPOOL_FOLDERS]
    if config.clinic is not None and is_there(clinic.Places(root).root):
        folders += clinic.Places(root).folders()
    for folder in (root, *folders):
        if os.path.lexists(folder) and not _is_folder(folder):
            yield from _no_folder(folder)
            continue
        yield from forbidden(seen, folder, READ | WRITE | ENTER, _own(seen, folder, "2770"))
        if seen.daemon_pid is not None and not is_there(folder):
            what = "the folder has gone while the daemon runs"
            do = "sudo systemctl restart gsmgw, which makes it again"
            yield Trouble("error", "folder.missing", str(folder), what, do)
    private = layout.Layout(root).tmp
    yield from forbidden(seen, private, READ | WRITE | ENTER, _own(seen, private, "2700"))
    yield from _too_open(root, *folders)
    yield from _split(root, folders)
    yield from _held_back(seen, root / "outgoing")


def _no_spool(seen: Installation, root: Path) -> Iterator[Trouble]:
    """Yield that the spool is missing, unless the daemon can make it."""
    try:
        can_make = root.parent.exists() and lack(root.parent, seen.account, WRITE | ENTER) is None
    except OSError:
        can_make = False
    if can_make and (seen.unit is None or seen.unit.sandbox.system != "strict"):
        return
    do = f"sudo install -d -m 2770 -o {seen.user} -g {seen.group} {root}"
    what = "the directory of the spool does not exist, and the daemon may not make it"
    yield Trouble("error", "folder.missing", str(root), what, do)


def _no_folder(folder: Path) -> Iterator[Trouble]:
    what = "this is no directory"
    do = f"sudo mv {folder} {folder}.aside; sudo systemctl restart gsmgw"
    target = _dangling(folder)
    if target is not None:
        what = f"this is a link to {target}, which is not there"
        do = f"lsblk; sudo mount -a, if the disk of it is not mounted; else: {do}"
    yield Trouble("error", "folder.missing", str(folder), what, do)


def _dangling(path: Path) -> str | None:
    """Return where a path leads by links, if there is nothing; None if there are no links."""
    real = os.path.realpath(path)
    return real if real != os.path.abspath(path) and not is_there(path) else None  # noqa: PTH100 - Path.absolute keeps ".."


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return True


def _held_back(seen: Installation, outgoing: Path) -> Iterator[Trouble]:
    """Yield files that wait because of a lock that the program beside it has forgotten."""
    now = seen.current.clock.now().timestamp()
    try:
        found = {path.name for path in outgoing.iterdir()}
        held = sorted(name for name in found if name + names.LOCK_SUFFIX in found)
        since = [(outgoing / (name + names.LOCK_SUFFIX)).stat().st_mtime for name in held]
    except OSError:
        return
    old = [name for name, at in zip(held, since, strict=True) if now - at > _LOCK_PATIENCE_S]
    if old:
        what = f"{trouble.count(len(old), 'file')} in outgoing held back by a .LOCK for"
        what += f" {trouble.age(now - min(since))}, {old[0]} among them"
        do = f"if the program that wrote it has ended: sudo rm '{outgoing}/{old[0]}.LOCK'"
        yield Trouble("warning", "files.stuck", "outgoing", what, do)


def _split(root: Path, folders: list[Path]) -> Iterator[Trouble]:
    try:
        devices = {folder.stat().st_dev for folder in folders if folder.exists()}
    except OSError:
        return
    if len(devices) > 1:
        what = "its folders lie on several file systems; files cannot be renamed between them"
        do = f"df {root}/*; put all folders on one"
        yield Trouble("error", "folder.split", str(root), what, do)


def _too_open(*paths: Path) -> Iterator[Trouble]:
    """Yield what strangers may read or write, and folders whose files get a wrong group."""
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        mode = f"{stat.S_IMODE(status.st_mode):04o}"
        if status.st_mode & stat.S_IWOTH:
            what = f"everybody on this machine may write here (mode {mode})"
            yield Trouble("warning", "rights.open", str(path), what, f"sudo chmod o= {path}")
        elif status.st_mode & stat.S_IROTH:
            what = f"everybody on this machine may read patients' messages here (mode {mode})"
            yield Trouble("warning", "rights.open", str(path), what, f"sudo chmod o= {path}")
        writable = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_IWGRP
        if writable and not status.st_mode & stat.S_ISGID:
            what = f"files made here do not get its group (mode {mode}, without setgid)"
            yield Trouble("warning", "rights.setgid", str(path), what, f"sudo chmod g+s {path}")


# -- disks, unit ----------------------------------------------------------------------------------


def _mounts(seen: Installation, config: Config) -> Iterator[Trouble]:
    for what, path in (("database", config.database.path.parent), ("spool", config.spool.path)):
        mount = machine.mount_of(path)
        if mount is not None and mount.is_read_only:
            words = f"the {what} stands on a file system that is read-only ({mount.point})"
            do = "sudo dmesg | tail -n 50 (a disk that fails?); then"
            do += f" sudo mount -o remount,rw {mount.point}"
            yield Trouble("error", "path.read_only", str(path), words, do)
        if mount is not None and mount.is_remote:
            words = f"the {what} stands on a network share ({mount.kind} at {mount.point})"
            do = f"move it to a disk of this machine, and change {what}.path"
            level: Level = "error" if what == "database" else "warning"
            yield Trouble(level, "store.remote", str(path), words, do)
        if mount is not None:
            yield from _unfit(seen, what, path, mount)


def _unfit(seen: Installation, what: str, path: Path, mount: machine.Mount) -> Iterator[Trouble]:
    """Yield that a file system of this machine is not made for it."""
    do = f"move it to the machine's own disk (ext4, xfs, btrfs), and change {what}.path"
    if mount.kind in _WITHOUT_RIGHTS:
        words = f"the {what} stands on {mount.kind} ({mount.point}), which keeps no owners and"
        yield Trouble("warning", "path.unfit", str(path), f"{words} modes", do)
    elif mount.kind in _IN_MEMORY and seen.unit is not None:  # a trial may well be there
        words = f"the {what} stands in memory ({mount.kind} at {mount.point}): all of it is lost"
        yield Trouble("error", "path.unfit", str(path), f"{words} with the power", do)


def _future(seen: Installation, config: Config) -> Iterator[Trouble]:
    """Yield that the clock has fallen back, if a file was written after the present time."""
    now = seen.current.clock.now().timestamp()
    for path in (seen.config_path, config.database.path, config.spool.path):
        try:
            ahead_s = path.stat().st_mtime - now
        except OSError:
            continue
        if ahead_s > _CLOCK_SLACK_S:
            words = f"{path} was written {ahead_s / 3600:.0f} hours after the present time"
            yield judgement.suspect_clock(words)
            return


def _unit_paths(seen: Installation, config: Config) -> Iterator[Trouble]:
    """Yield places that the unit does not let the daemon use."""
    if seen.unit is not None:
        yield from sandbox.compare(seen.unit.path, seen.unit.sandbox, config)


def _metrics(seen: Installation, config: Config) -> Iterator[Trouble]:
    if config.watching.metrics is None:
        return
    folder = config.watching.metrics.parent
    if not is_there(folder):
        do = f"sudo install -d -o {seen.user} {folder}, or correct watching.metrics"
        what = "the directory of watching.metrics does not exist"
        yield Trouble("warning", "metrics.unwritable", str(folder), what, do)
    do = f"sudo chgrp {seen.group} {folder} && sudo chmod g+rwx {folder}"
    for one in forbidden(seen, folder, WRITE | ENTER, do):
        if one.name == "path.forbidden":
            yield Trouble("warning", "metrics.unwritable", one.where, one.what, do)
