# SPDX-License-Identifier: Apache-2.0
"""Builds the archive: one file with all wheels, our files, an install script and checksums."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
from pathlib import Path

import payload

_HERE = payload.ROOT / "packaging"


def build(machine: str, folder: Path) -> Path:
    """Build the archive for a machine of Debian into a folder; return its file.

    Raises:
        BuildError: something is missing.
    """
    arch = payload.MACHINES[machine]
    name = f"gsmgw-{payload.version()}-linux-{arch}"
    stage = payload.BUILD / name
    shutil.rmtree(stage, ignore_errors=True)
    for python in payload.PYTHONS:
        payload.fetch_wheels(stage / "wheels", arch, python)
    payload.build_our_wheel(stage / "wheels")
    payload.put_files(stage, packed=False)
    # Where zsh looks below /usr/local; the other place is Debian's own.
    (stage / "share/zsh/vendor-completions").rename(stage / "share/zsh/site-functions")
    facts = {
        "@VERSION@": payload.version(),
        "@MACHINE@": arch,
        "@PYTHONS@": " ".join(payload.PYTHONS),
    }
    for template in ("install.sh", "README.txt"):
        text = (_HERE / "archive" / template).read_text("utf-8")
        for mark, value in facts.items():
            text = text.replace(mark, value)
        (stage / template).write_text(text, "utf-8")
    (stage / "SHA256SUMS").write_text(payload.sums(stage, "sha256"))
    payload.settle(stage)
    target = folder / f"{name}.tar.gz"
    target.write_bytes(_packed(stage))
    return target


def _packed(stage: Path) -> bytes:
    """Return a directory as a compressed archive: sorted, owned by root, always the same."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in [stage, *sorted(stage.rglob("*"))]:
            archive.add(path, path.relative_to(stage.parent), recursive=False, filter=_of_root)
    return gzip.compress(raw.getvalue(), 6, mtime=0)


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member
