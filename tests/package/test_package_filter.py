# SPDX-License-Identifier: Apache-2.0
"""Daemon and hooks under the unit's filter of system calls, which nothing else can try here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from debian_support import Box, until

_UNIT = "/usr/lib/systemd/system/gsmgw.service"
_LAUNCHER = "/usr/local/lib/under_filter.py"
_UNDER_FILTER = ("/usr/bin/python3", _LAUNCHER, _UNIT)
_SPOOL = "/var/spool/gsmgw"

#: What handlers of events do, in the words of a shell.
_HANDLER = f"""\
#!/bin/sh
set -e
cd {_SPOOL}/kept
cp -p "$2" copy
sed -i 's/^To:/Was to:/' copy
nice true || echo refused >nice
touch -d 2026-01-01 copy
mv copy done
"""


@pytest.fixture
def filtered(box: Box, packages: dict[str, Path]) -> Box:
    """Make a machine with the package, and with the launcher."""
    box.run("dpkg", "-i", box.put(packages["new"]))
    shutil.copy(Path(__file__).with_name("under_filter.py"), box.path(_LAUNCHER))
    box.path(_LAUNCHER).chmod(0o644)
    return box


def test_what_the_unit_allows_is_enough(filtered: Box) -> None:
    box = filtered
    box.run("groupadd", "sms")
    box.run("usermod", "-aG", "sms", "gsmgw")
    box.run("install", "-d", "-o", "gsmgw", f"{_SPOOL}/kept")
    handler = box.path("/usr/local/bin/handler")
    handler.write_text(_HANDLER)
    handler.chmod(0o755)
    for folder in ("outgoing", "incoming"):  # the daemon makes them again, for the other group
        box.path(f"{_SPOOL}/{folder}").rmdir()
    with box.modem() as port:
        box.path("/etc/gsmgw/gsmgw.yaml").write_text(
            f"spool: {{group: sms}}\nclinic: {{name: Lipowa, phone: '815551234'}}\n"
            f"hooks: {{event: [/usr/local/bin/handler]}}\nmodems: [{{name: front, port: {port}}}]\n"
        )
        with box.running(*_UNDER_FILTER, "gsmgw", "run", user="gsmgw"):
            log = box.path("/tmp/output").read_text
            until(lambda: "state=ready" in log(), log)
            box.run("sh", "-c", "cat >/tmp/one", stdin="To: 48500100201\n\nx\n", user="gsmgw")
            box.run("mv", "/tmp/one", f"{_SPOOL}/outgoing/", user="gsmgw")
            until(lambda: box.path(f"{_SPOOL}/kept/done").exists(), log)
        assert "error" not in log(), log()
        assert "hook.failed" not in log(), log()
    for folder in ("outgoing", "incoming", "clinic/in"):
        assert box.mode(f"{_SPOOL}/{folder}") == "gsmgw:sms 2770", folder
    assert box.path(f"{_SPOOL}/kept/done").read_text().startswith("Was to: 48500100201\n")


def test_what_it_forbids_fails_and_kills_nobody(filtered: Box) -> None:
    for forbidden in ("os.nice(1)", "os.chroot('/')", "os.setuid(0)"):
        words = ("/usr/bin/python3", "-c", f"import os; {forbidden}")
        done = filtered.run(*_UNDER_FILTER, *words, user="gsmgw", code=1)
        assert "Operation not permitted" in done.stderr, forbidden
