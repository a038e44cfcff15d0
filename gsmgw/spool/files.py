# SPDX-License-Identifier: Apache-2.0
"""The only place in the spool that touches files: look, read, write, rename, remove, fsync.

Theory of operation: a rename within one file system is atomic, so a file is written in `.tmp`,
fsynced, and renamed to where others look; a directory that was changed is fsynced before the store
relies on the change. Nothing follows symbolic links, nothing opens what is no regular file.

On failure: OSError, as the system gives it; the services decide what it means. `recording` lets a
test see every change before it is made, so that a crash or power loss between any two can be
played.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

#: A larger file is no message.
LONGEST_FILE = 1024 * 1024
#: Of files that we write: for us and the group.
FILE_MODE = 0o660

_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class NotRegularError(OSError):
    """There is no regular file under this name; `kind` says what there is."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(errno.EINVAL, f"is {kind}", os.fspath(path))
        self.kind = kind


#: What a recorder is told before each change: write, move, remove, sync or folder, and the paths.
Recorder = Callable[[str, tuple[Path, ...]], None]
_recorders: list[Recorder] = []


@contextlib.contextmanager
def recording(recorder: Recorder) -> Iterator[None]:
    """Tell `recorder` of every change before it is made, in all threads; for tests."""
    _recorders.append(recorder)
    try:
        yield
    finally:
        _recorders.remove(recorder)


def _note(change: str, *paths: Path) -> None:
    for recorder in _recorders:
        recorder(change, paths)


def look(path: Path) -> os.stat_result | None:
    """Return what stands under a name, links not followed; None if nothing does."""
    try:
        return path.lstat()
    except OSError as error:
        # A name longer than any file's has nothing under it (`X.LOCK` of a longest X).
        if error.errno in (errno.ENOENT, errno.ENAMETOOLONG):
            return None
        raise


def listing(folder: Path) -> list[str]:
    """Return the names in a folder, in no order."""
    with os.scandir(folder) as entries:
        return [entry.name for entry in entries]


def check_readable(path: Path) -> os.stat_result:
    """Make sure that a regular file can be opened for reading.

    Raises:
        FileNotFoundError: it is gone. NotRegularError: it is no file.
        PermissionError: we may not read it.
    """
    descriptor = _open(path)
    try:
        return os.fstat(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path, longest: int = LONGEST_FILE) -> tuple[bytes, os.stat_result]:
    """Read a regular file; one longer than `longest` octets is cut behind that.

    Raises:
        OSError: as `check_readable`, or the disk failed.
    """
    descriptor = _open(path)
    try:
        status = os.fstat(descriptor)
        pieces: list[bytes] = []
        missing = longest + 1
        while missing > 0:
            piece = os.read(descriptor, min(missing, status.st_size + 1))
            if not piece:
                break
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces), status
    finally:
        os.close(descriptor)


def _open(path: Path) -> int:
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise NotRegularError(path, _KINDS.get(stat.S_IFMT(status.st_mode), "no file"))
    try:
        # O_NONBLOCK: opening a FIFO put there this moment would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotRegularError(path, _KINDS[stat.S_IFLNK]) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(path, "no file")
    return descriptor


def write(path: Path, content: bytes) -> None:
    """Write a file and fsync it; an older one of that name is overwritten. Blocks for the disk."""
    _note("write", path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        os.fchmod(descriptor, FILE_MODE)
        at = 0
        while at < len(content):
            at += os.write(descriptor, content[at:])
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def move(source: Path, target: Path) -> None:
    """Rename a file, atomically; not on disk before both folders are synced."""
    _note("move", source, target)
    source.rename(target)


def tell_watchers(path: Path) -> None:
    """Open a file for writing and close it, if it is still there.

    A rename is no IN_CLOSE_WRITE, for which programs wait that were written for smsd: it writes its
    files in place.
    """
    flags = os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    with contextlib.suppress(OSError):
        os.close(os.open(path, flags))


def remove(path: Path) -> None:
    """Remove a file if it is there; not on disk before its folder is synced."""
    _note("remove", path)
    path.unlink(missing_ok=True)


def sync(folder: Path) -> None:
    """Put renames and removals in a folder on disk. Blocks for the disk."""
    _note("sync", folder)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_folder(folder: Path, mode: int, group: int | None) -> None:
    """Make a folder that is not there; its parent must be.

    Args:
        folder: which.
        mode: with the setgid bit where files in it are to have its group.
        group: its group; None leaves what the parent or the process gives.
    """
    _note("folder", folder)
    folder.mkdir(mode=0o700, exist_ok=True)
    if group is not None:
        os.chown(folder, -1, group)
    folder.chmod(mode)
