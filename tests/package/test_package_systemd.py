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


_DROP_INS = re.findall(
    r"```ini\n(\[Service\]\n.*?)```", (ROOT / "docs/install.md").read_text(), re.DOTALL
)


@pytest.mark.parametrize("text", _DROP_INS, ids=lambda text: text.split()[1].partition("=")[0])
def test_the_drop_ins_of_the_document_are_valid(installed: Box, text: str) -> None:
    drop_in = installed.path("/etc/systemd/system/gsmgw.service.d/test.conf")
    drop_in.parent.mkdir(parents=True, exist_ok=True)
    drop_in.write_text(text)
    done = installed.run("systemd-analyze", "verify", "--man=no", _UNIT)
    assert "test.conf" not in done.stdout + done.stderr
    installed.run("systemd-analyze", "security", "--offline=true", "--threshold=20", _UNIT)
    drop_in.unlink()


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
