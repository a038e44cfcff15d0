# SPDX-License-Identifier: Apache-2.0
"""The package's unit, accounts, directories and catalogue, by the tools of systemd, without it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from debian_support import ROOT, Box

_UNIT = "/usr/lib/systemd/system/gsmgw.service"
#: Of ten; in tenths, as systemd-analyze wants it.
_MOST_EXPOSED = 15


@pytest.fixture(scope="module")
def installed(
    debian: Path, packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Box]:
    """Make a machine on which the package is installed."""
    made = Box(debian, tmp_path_factory.mktemp("installed") / "box")
    made.run("dpkg", "-i", made.put(packages["new"]))
    yield made
    made.close()


def test_unit_is_valid_and_hardened(installed: Box) -> None:
    done = installed.run("systemd-analyze", "verify", "--man=no", _UNIT)
    assert "gsmgw" not in done.stdout + done.stderr
    threshold = f"--threshold={_MOST_EXPOSED}"
    done = installed.run("systemd-analyze", "security", "--offline=true", threshold, _UNIT)
    assert "Overall exposure level for gsmgw.service" in done.stdout


def test_a_drop_in_for_hooks_with_a_network_is_valid(installed: Box) -> None:
    """The example of docs/install.md."""
    text = (ROOT / "docs" / "install.md").read_text()
    (drop_in,) = re.findall(r"```ini\n(\[Service\]\nPrivateNetwork=no\n.*?)```", text, re.DOTALL)
    folder = installed.path("/etc/systemd/system/gsmgw.service.d")
    folder.mkdir(parents=True)
    (folder / "network.conf").write_text(drop_in)
    done = installed.run("systemd-analyze", "verify", "--man=no", _UNIT)
    assert "network.conf" not in done.stdout + done.stderr
    installed.run("systemd-analyze", "security", "--offline=true", "--threshold=20", _UNIT)
    (folder / "network.conf").unlink()


def test_accounts_and_directories_below_another_root(debian: Path, tmp_path: Path) -> None:
    """As an image builder does it."""
    root = tmp_path / "image"
    (root / "etc").mkdir(parents=True)
    for name in ("passwd", "group"):
        (root / "etc" / name).write_bytes((debian / "etc" / name).read_bytes())
    subprocess.run(
        ["systemd-sysusers", f"--root={root}", str(ROOT / "systemd/gsmgw.sysusers")], check=True
    )
    members = (root / "etc/group").read_text()
    assert re.search(r"^dialout:.*:gsmgw$", members, re.MULTILINE)
    rules = str(ROOT / "systemd/gsmgw.tmpfiles")
    subprocess.run(["systemd-tmpfiles", f"--root={root}", "--create", rules], check=True)
    assert (root / "var/spool/gsmgw/outgoing").stat().st_mode & 0o7777 == 0o2770
    assert (root / "var/spool/gsmgw").stat().st_uid == (root / "var/lib/gsmgw").stat().st_uid != 0


def test_catalogue_is_in_the_journal(installed: Box) -> None:
    catalog = installed.path("/usr/lib/systemd/catalog/gsmgw.catalog").read_text()
    identity = re.findall(r"^-- ([0-9a-f]{32})$", catalog, re.MULTILINE)[0]
    assert "gsmgw" in installed.run("journalctl", "--dump-catalog", identity).stdout
