# SPDX-License-Identifier: Apache-2.0
"""Builds the Debian package: an environment with all libraries, at its final path, without root.

Theory of operation. A virtual environment is a directory with three things: `pyvenv.cfg`, a link to
the system's Python, and site-packages. All three are put down below a staging directory just as
they must be below /usr/lib/gsmgw; nothing of it is run there, so nothing has to be relocated. The
byte code is compiled with its final path. That is why the package for another machine can be built
here as well: only the wheels differ.
"""

from __future__ import annotations

import email
import gzip
import shutil
from pathlib import Path

import changes
import payload

#: The environment in the package.
LIBRARY = "usr/lib/gsmgw"
MAINTAINER = "gsmgw maintainers <maintainers@gsmgw.invalid>"
_SCRIPT = """\
#!/usr/lib/gsmgw/bin/python3 -I
import sys

from gsmgw.cli.main import main

sys.exit(main())
"""
_CONTROL = """\
Package: gsmgw
Version: {version}
Architecture: {machine}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: python3 (>= 3.11), python3 (<< 3.12), libc6 (>= 2.17), procps, {systemd}
Recommends: udev
Suggests: usb-modeswitch, sqlite3
Section: comm
Priority: optional
Description: GSM modem SMS gateway for clinics that work without internet
 A daemon that drives USB GSM modems, takes messages from a spool directory
 and a SQLite outbox, sends each exactly once, follows its delivery, and hands
 replies and missed calls back as files and rows.
 .
 All libraries are inside. Nothing is started by the installation: gsmgw setup
 finds the modems, writes the configuration and starts the service.
"""
#: One line: dpkg takes no folded ones in a package that is built.
_SYSTEMD = "systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles"
_COPYRIGHT = """\
gsmgw is licensed under the Apache License 2.0; see /usr/share/common-licenses/Apache-2.0.

Libraries inside the package, below /usr/{library}, unchanged, each with its licence in its own
*.dist-info directory there:

"""


def build(machine: str, version: str, folder: Path, *, is_fast: bool) -> Path:
    """Build the package for a machine of Debian into a folder; return its file.

    Raises:
        BuildError: something is missing.
    """
    stage = payload.BUILD / f"deb-{machine}"
    shutil.rmtree(stage, ignore_errors=True)
    wheels = payload.BUILD / f"wheels-{machine}-{payload.PYTHON}"
    payload.fetch_wheels(wheels, payload.MACHINES[machine], payload.PYTHON)
    payload.build_our_wheel(wheels)
    site = _environment(stage, machine, wheels)
    payload.put_files(stage / "usr", packed=True)
    _copyright(stage, site)
    _for_debian(stage)
    payload.settle(stage)
    _compile(stage, site)
    _control(stage, machine, version)
    payload.settle(stage)
    target = folder / f"gsmgw_{version}_{machine}.deb"
    epoch = str(payload.epoch())
    packing = ("-Zgzip", "-z1") if is_fast else ("-Zxz",)  # xz takes most of the build's time
    payload.run(
        *("dpkg-deb", "--root-owner-group", *packing, "--build", stage, target),
        SOURCE_DATE_EPOCH=epoch,
    )
    return target


def _environment(stage: Path, machine: str, wheels: Path) -> Path:
    """Put the environment down; return its site-packages."""
    library = stage / LIBRARY
    site = library / "lib" / f"python{payload.PYTHON}" / "site-packages"
    chosen = payload.for_machine(payload.MACHINES[machine], payload.PYTHON)
    options: list[str | Path] = [
        "--no-index",
        "--find-links",
        wheels,
        "--no-deps",
        "--no-compile",
        "--target",
        site,
    ]
    payload.pip("install", *options, *chosen, *sorted(_names()))
    _drop_programs(site)
    (library / "bin").mkdir()
    (library / "bin" / f"python{payload.PYTHON}").symlink_to(f"/usr/bin/python{payload.PYTHON}")
    for name in ("python3", "python"):
        (library / "bin" / name).symlink_to(f"python{payload.PYTHON}")
    (library / "bin" / "gsmgw").write_text(_SCRIPT)
    lines = (
        "home = /usr/bin",
        "include-system-site-packages = false",
        f"version = {payload.PYTHON}",
    )
    (library / "pyvenv.cfg").write_text("\n".join(lines) + "\n")
    (stage / "usr" / "bin").mkdir(parents=True)
    (stage / "usr" / "bin" / "gsmgw").symlink_to("../lib/gsmgw/bin/gsmgw")
    return site


def _drop_programs(site: Path) -> None:
    """Take away the libraries' own programs, which name the build's Python, and their mention."""
    shutil.rmtree(site / "bin", ignore_errors=True)
    for record in site.glob("*.dist-info/RECORD"):
        lines = record.read_text("utf-8").splitlines(keepends=True)
        there = [line for line in lines if (site / line.partition(",")[0].strip('"')).exists()]
        record.write_text("".join(there), "utf-8")


def _names() -> list[str]:
    """Return what is installed: each pinned library and gsmgw, by name and version."""
    pinned = [line.split()[0] for line in payload.PINS.read_text().splitlines() if "==" in line]
    return [*pinned, f"gsmgw=={payload.version()}"]


def _compile(stage: Path, site: Path) -> None:
    """Compile everything; the byte code names the final paths."""
    payload.run(
        *(payload.builder(), "-W", "ignore", "-m", "compileall", "-q"),
        *("-s", stage, "-p", "/", "--invalidation-mode", "timestamp", site),
        PYTHONHASHSEED="0",
    )


def _copyright(stage: Path, site: Path) -> None:
    """Write which libraries are inside, and under which licences."""
    lines = [_COPYRIGHT.format(library=LIBRARY.removeprefix("usr/"))]
    for found in sorted(site.glob("*.dist-info/METADATA")):
        facts = email.message_from_bytes(found.read_bytes())
        kinds = [
            word.rpartition(" :: ")[2]
            for word in facts.get_all("Classifier", [])
            if word.startswith("License ::")
        ]
        licence = facts["License-Expression"] or ", ".join(kinds) or facts["License"] or "see there"
        if facts["Name"] != "gsmgw":
            lines.append(f"  {facts['Name']} {facts['Version']}: {licence.splitlines()[0]}\n")
    (stage / "usr/share/doc/gsmgw/copyright").write_text("".join(lines))


def _for_debian(stage: Path) -> None:
    """Write what Debian's own tools look for: the changelog, and why lintian is to be content."""
    text = (payload.ROOT / "CHANGELOG.md").read_text("utf-8")
    packed = gzip.compress(changes.as_debian(text, MAINTAINER).encode(), 9, mtime=0)
    (stage / "usr/share/doc/gsmgw/changelog.gz").write_bytes(packed)
    overrides = stage / "usr/share/lintian/overrides/gsmgw"
    overrides.parent.mkdir(parents=True)
    shutil.copyfile(payload.ROOT / "packaging" / "lintian-overrides", overrides)


def _control(stage: Path, machine: str, version: str) -> None:
    """Write what dpkg reads."""
    control = stage / "DEBIAN"
    control.mkdir()
    size = sum(path.lstat().st_size for path in stage.rglob("*") if not path.is_dir())
    facts = {"version": version, "machine": machine, "maintainer": MAINTAINER, "systemd": _SYSTEMD}
    (control / "control").write_text(_CONTROL.format(size=size // 1024, **facts))
    (control / "md5sums").write_text(payload.sums(stage, "md5"))
    for script in ("postinst", "prerm", "postrm"):
        shutil.copyfile(payload.ROOT / "packaging" / "debian" / script, control / script)
