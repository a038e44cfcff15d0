# SPDX-License-Identifier: Apache-2.0
"""The first run on a clean machine: from the package to a delivered message, as its own user."""

from __future__ import annotations

from pathlib import Path

from debian_support import Box

_CONFIG = "/etc/gsmgw/gsmgw.yaml"


def test_from_the_package_to_a_delivered_message(box: Box, packages: dict[str, Path]) -> None:
    box.run("dpkg", "-i", box.put(packages["new"]))
    with box.modem() as port:
        words = ["gsmgw", "setup", "--port", port, "--to", "+48500100201"]
        answers = ["y", "front", "Europe/Warsaw", "PL", "y"]
        shown = box.run(*words, "--dry-run", stdin="\n".join(answers) + "\n").stdout
        assert "Nothing was done." in shown
        assert "0 modems" in box.run("gsmgw", "check").stdout
        shown = box.run(*words, stdin="\n".join(answers) + "\n").stdout
        assert "systemd does not run here" in shown
        assert "$ sudo -u gsmgw gsmgw --config /etc/gsmgw/gsmgw.yaml run" in shown
        assert "delivered: the phone has it" in shown
        again = box.run(*words[:4], "--yes").stdout
        assert "(configured as front)" in again
        assert "says all that already" in again
    # Root has run it, and nothing of it keeps the daemon's user out.
    assert box.mode(_CONFIG) == "root:gsmgw 640"
    assert box.mode("/var/lib/gsmgw/gsmgw.db").startswith("gsmgw:gsmgw ")
    text = box.path(_CONFIG).read_text()
    assert "  - name: front\n    # Device file. Take the one in /dev/serial/by-id" in text
    assert len(list(box.path("/etc/gsmgw").glob("gsmgw.yaml.before-*"))) == 1
    assert "delivered" in box.run("gsmgw", "list", user="gsmgw").stdout


def test_smstools_moves_in(box: Box, packages: dict[str, Path]) -> None:
    box.run("dpkg", "-i", box.put(packages["new"]))
    with box.modem() as port:
        text = f"devices = GSM1\nincoming_utf8 = yes\n[GSM1]\ndevice = {port}\npin = 7391\n"
        box.path("/etc/smsd.conf").write_text(text)
        box.run("gsmgw", "migrate", "smstools", "-o", _CONFIG, code=73)
        told = box.run("gsmgw", "migrate", "smstools", "-o", _CONFIG, "--force").stdout
        assert "[Service] and ReadWritePaths=/var/spool/sms" in told
        assert box.mode("/etc/gsmgw/GSM1.pin") == "gsmgw:gsmgw 600"
        # The unit does not let the daemon write there yet: said before anything is started.
        refused = box.run("gsmgw", "setup", "--yes", "--port", port, code=78)
        assert "ReadWritePaths" in refused.stderr
        drop_in = box.path("/etc/systemd/system/gsmgw.service.d/spool.conf")
        drop_in.parent.mkdir(parents=True)
        drop_in.write_text("[Service]\nReadWritePaths=/var/spool/sms\n")
        shown = box.run("gsmgw", "setup", "--yes", "--port", port, "--to", "+48500100201").stdout
        assert "(configured as GSM1)" in shown
        assert "delivered: the phone has it" in shown
    assert box.mode("/var/spool/sms") == "gsmgw:gsmgw 2770"
