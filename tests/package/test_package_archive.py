# SPDX-License-Identifier: Apache-2.0
"""The archive for other systems: installed without internet, by root and by anybody, removed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from debian_support import Box

_FOLDER = "/srv/archive"


def unpack(box: Box, archive: Path) -> str:
    """Unpack the archive in the machine; return where."""
    target = box.path(_FOLDER)
    target.mkdir(parents=True)
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(target)], check=True)
    (found,) = target.iterdir()
    return f"{_FOLDER}/{found.name}"


def install(box: Box, place: str, *words: str, code: int = 0, user: str | None = None) -> str:
    """Run the install script, with no network at all."""
    script = ["unshare", "--net", "sh", f"{place}/install.sh", *words]
    if user is not None:  # who is not root makes no namespace
        script = ["sh", f"{place}/install.sh", *words]
    done = box.run(*script, user=user, code=code)
    return done.stdout + done.stderr


def test_as_root_with_account_and_unit(box: Box, archive: Path) -> None:
    place = unpack(box, archive)
    said = install(box, place)
    assert "Go on with: /usr/local/bin/gsmgw setup" in said
    assert box.mode("/etc/gsmgw/gsmgw.yaml") == "root:gsmgw 640"
    assert box.mode("/var/spool/gsmgw/outgoing") == "gsmgw:gsmgw 2770"
    unit = box.path("/etc/systemd/system/gsmgw.service").read_text()
    assert "ExecStart=/usr/local/bin/gsmgw --config" in unit
    box.run("systemd-analyze", "verify", "--man=no", "gsmgw.service")
    assert "0 modems" in box.run("gsmgw", "check").stdout
    assert "All as promised" in box.run("gsmgw", "demo", user="daemon").stdout
    for page in ("man/man1/gsmgw.1", "zsh/site-functions/_gsmgw", "doc/gsmgw/docs/install.md"):
        assert box.path(f"/usr/local/share/{page}").is_file()

    box.path("/etc/gsmgw/gsmgw.yaml").write_text("country: GB\n")
    install(box, place)  # an upgrade
    assert box.path("/etc/gsmgw/gsmgw.yaml").read_text() == "country: GB\n"
    assert not list(box.path("/usr/local/lib").glob("gsmgw.*"))

    said = install(box, place, "--remove")
    assert "Kept: /etc/gsmgw" in said
    left = {path.relative_to(box.root).as_posix() for path in box.root.rglob("*gsmgw*")}
    left = {path for path in left if not path.startswith(("proc/", _FOLDER.lstrip("/")))}
    assert left == {"etc/gsmgw", "etc/gsmgw/gsmgw.yaml", "var/lib/gsmgw", "var/spool/gsmgw"}


def test_as_anybody_into_a_directory_of_ones_own(box: Box, archive: Path) -> None:
    place = unpack(box, archive)
    box.run("install", "-d", "-o", "daemon", "/srv/mine")
    install(box, place, "--no-service", "--prefix", "/srv/mine", user="daemon")
    said = box.run("/srv/mine/bin/gsmgw", "demo", user="daemon").stdout
    assert "All as promised" in said
    assert not box.path("/etc/gsmgw").exists()
    install(box, place, "--no-service", "--prefix", "/srv/mine", "--remove", user="daemon")
    assert [path.name for path in box.path("/srv/mine").rglob("*") if path.is_file()] == []


def test_what_it_refuses(box: Box, archive: Path, packages: dict[str, Path]) -> None:
    place = unpack(box, archive)
    assert "want root" in install(box, place, code=1, user="daemon")
    assert "may not look into /root/x" in install(box, place, "--prefix", "/root/x", code=1)
    said = install(box, place, "--no-service", "--prefix", "/opt/x", code=1, user="daemon")
    assert "cannot be written" in said
    systemctl = box.path("/usr/bin/systemctl")
    systemctl.rename(systemctl.with_name("hidden"))
    assert "there is no systemctl" in install(box, place, code=1)
    systemctl.with_name("hidden").rename(systemctl)
    box.run("dpkg", "-i", box.put(packages["new"]))
    assert "the Debian package gsmgw is installed" in install(box, place, code=1)
    box.run("dpkg", "--purge", "gsmgw")
    wheel = next(box.path(f"{place}/wheels").glob("rich-*.whl"))
    with wheel.open("ab") as file:
        file.write(b"x")
    assert "the archive is damaged" in install(box, place, code=1)
    assert not box.path("/usr/local/lib/gsmgw").exists()
    shutil.rmtree(box.path(_FOLDER))
