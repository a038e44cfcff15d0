# SPDX-License-Identifier: Apache-2.0
"""Commands of people who may not: each is told which file it is, and how to get in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from doctor_support import Ward

from gsmgw.cli import exits
from gsmgw.cli.doctor import machine


@pytest.fixture
def stranger(monkeypatch: pytest.MonkeyPatch) -> machine.Account:
    """Let this process be of nobody: the kernel's answers are played, as root may do all."""
    me = machine.Account("anna", 4_000_000, frozenset({4_000_000}))
    monkeypatch.setattr(exits, "_person", lambda: (me.name, me.user_id, me.groups))
    monkeypatch.setattr(exits, "_group", lambda number: (f"group{number}", ["ewa"]))

    def access(path: os.PathLike[str] | str, bits: int) -> bool:
        try:
            return me.may(Path(path).stat(), bits)
        except FileNotFoundError:
            return False

    monkeypatch.setattr(os, "access", access)
    return me


@pytest.mark.parametrize(
    "words", [("status",), ("list",), ("check",), ("send", "+48500100201", "x")]
)
def test_a_closed_configuration_says_how_to_get_in(
    ward: Ward, stranger: machine.Account, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    ward.config.chmod(0o640)
    os.chown(ward.config, -1, 1) if os.geteuid() == 0 else None
    done = ward.run(*words)
    assert done.exit_code == 78
    assert done.stderr.startswith(f"gsmgw: you may not read the configuration {ward.config}: run")
    assert "sudo" in done.stderr
    monkeypatch.setattr(exits, "_group", lambda number: (f"group{number}", ["ewa", "anna"]))
    if ward.config.stat().st_gid:
        assert "log out, and in again" in ward.run(*words).stderr


def test_a_closed_database_says_how_to_get_in(ward: Ward, stranger: machine.Account) -> None:
    done = ward.run("list")
    assert done.exit_code == 74
    assert (
        f"you may not use the database in {ward.database.parent}: run it with sudo" in done.stderr
    )


def test_monitoring_says_so_too(ward: Ward, stranger: machine.Account) -> None:
    ward.config.chmod(0o600)
    done = ward.run("status", "--monitor")
    assert done.exit_code == 3
    assert "run it with sudo" in done.stdout


def test_a_group_is_named_where_its_members_may(ward: Ward, stranger: machine.Account) -> None:
    folder = ward.path / "etc"
    folder.mkdir()
    folder.chmod(0o750)  # whatever the umask
    if os.geteuid() == 0:
        os.chown(folder, -1, 1)
    group = f"group{folder.stat().st_gid}"
    join = f"sudo adduser anna {group}, and log in anew"
    assert exits.way_in(folder / "x", os.R_OK) == f"run it with sudo, or join the group: {join}"
    folder.chmod(0o700)
    assert exits.way_in(folder / "x", os.R_OK) == "run it with sudo"
    folder.chmod(0o755)
    assert exits.way_in(folder / "x", os.R_OK) is None  # it is not there


def test_root_is_never_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch(mode=0o600)
    assert exits.way_in(tmp_path / "file", os.R_OK) is None
