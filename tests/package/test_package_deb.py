# SPDX-License-Identifier: Apache-2.0
"""The life of the Debian package: installed, used, upgraded, removed, installed again, purged."""

from __future__ import annotations

import gzip
import re
import shlex
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from debian_support import ROOT, Box, until

from gsmgw import __version__

_DATABASE = "/var/lib/gsmgw/gsmgw.db"
_SPOOL = "/var/spool/gsmgw"
_CONFIG = "/etc/gsmgw/gsmgw.yaml"


def install(box: Box, package: Path, *options: str) -> str:
    done = box.run("dpkg", *options, "-i", box.put(package))
    return done.stdout + done.stderr


def configure(box: Box, port: str) -> str:
    text = f"""\
# written by a technician
country: PL
modems:
  - name: front
    port: {port}
    result_timeout: 5s
"""
    box.path(_CONFIG).write_text(text)
    return text


def messages(box: Box) -> list[tuple[str, str]]:
    """Return text and state of what is in the outbox; [] while there is no database."""
    try:
        connection = sqlite3.connect(f"file:{box.path(_DATABASE)}?mode=ro", uri=True)
    except sqlite3.OperationalError:
        return []
    try:
        return connection.execute("SELECT text, state FROM outbox ORDER BY id").fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()


def send_by_file(
    box: Box, name: str, user: str, meanwhile: Callable[[], object] = lambda: None
) -> None:
    """Let the daemon run on a simulated modem while another program drops a file."""
    with box.modem() as port:
        configure(box, port)
        with box.running("gsmgw", "run", user="gsmgw"):
            log = box.path("/tmp/output").read_text
            until(lambda: "daemon.started" in log(), log)
            meanwhile()
            letter = f"To: 48500100201\nReport: yes\n\n{name}\n"
            box.run("sh", "-c", f"cat >/tmp/{name}", stdin=letter, user=user)
            box.run("mv", f"/tmp/{name}", f"{_SPOOL}/outgoing/", user=user)
            until(lambda: (name, "delivered") in messages(box), log)
            until(lambda: box.path(f"{_SPOOL}/sent/{name}").exists(), log)
            until(lambda: any(box.path(f"{_SPOOL}/report").iterdir()), log)
        assert "error" not in log(), log()
        # What the daemon made belongs to the group: another member takes the report away.
        box.run("sh", "-c", f"cat {_SPOOL}/report/* && rm {_SPOOL}/report/*", user=user)


def test_from_first_installation_to_purge(box: Box, packages: dict[str, Path]) -> None:
    said = install(box, packages["old"])
    assert "gsmgw setup" in said
    is_as_promised(box)

    box.run("useradd", "--system", "--groups", "gsmgw", "clinicprogram")
    send_by_file(box, "first", "clinicprogram")
    config, mode = box.path(_CONFIG).read_text(), box.mode(_CONFIG)
    box.path("/etc/gsmgw/front.pin").write_text("1234\n")
    box.run("groupadd", "sms")  # a group and a mode of one's own
    box.run("chgrp", "sms", f"{_SPOOL}/outgoing")
    box.run("chmod", "2730", f"{_SPOOL}/outgoing")

    # Nobody is there to answer a question, and no terminal.
    install(box, packages["new"])
    assert box.run("dpkg-query", "-W", "-f", "${Status} ${Version}", "gsmgw").stdout == (
        "install ok installed 99.0"
    )
    assert (box.path(_CONFIG).read_text(), box.mode(_CONFIG)) == (config, mode)
    assert messages(box) == [("first", "delivered")]
    assert box.mode(f"{_SPOOL}/outgoing") == "gsmgw:sms 2730"
    box.run("chgrp", "gsmgw", f"{_SPOOL}/outgoing")
    send_by_file(box, "second", "clinicprogram")
    # Files are exchanged below a daemon that runs: it goes on until systemd ends it.
    send_by_file(box, "third", "clinicprogram", lambda: install(box, packages["new"]))
    assert messages(box) == [(name, "delivered") for name in ("first", "second", "third")]

    known = box.path("/usr/lib/systemd/catalog/gsmgw.catalog").read_text()
    identity = re.findall(r"^-- ([0-9a-f]{32})$", known, re.MULTILINE)[0]
    assert identity in box.run("journalctl", "--list-catalog").stdout
    box.run("dpkg", "-r", "gsmgw")
    assert identity not in box.run("journalctl", "--list-catalog").stdout
    assert not box.path("/usr/lib/gsmgw").exists()
    assert not box.path("/usr/bin/gsmgw").is_symlink()
    assert box.path(_CONFIG).read_text().startswith("# written by a technician")
    assert len(messages(box)) == 3
    assert box.path(f"{_SPOOL}/sent/first").exists()

    install(box, packages["new"])
    assert box.path("/etc/gsmgw/front.pin").exists()
    assert "third" in box.run("gsmgw", "list").stdout

    box.run("dpkg", "--purge", "gsmgw")
    for place in ("/etc/gsmgw", "/var/lib/gsmgw", _SPOOL, "/usr/lib/gsmgw", "/usr/share/gsmgw"):
        assert not box.path(place).exists(), place
    assert box.run("dpkg-query", "-W", "gsmgw", code=1).stdout == ""
    box.run("id", "gsmgw")  # its number is nobody else's
    assert {path.suffix for path in box.root.rglob("*gsmgw*")} <= {".deb"}


def is_as_promised(box: Box) -> None:
    """Look at everything that the first installation makes."""
    assert box.run("dpkg", "--verify", "gsmgw").stdout == ""
    assert box.run("id", "-nG", "gsmgw").stdout.split() == ["gsmgw", "dialout"]
    assert box.mode("/etc/gsmgw") == "root:gsmgw 750"
    assert box.mode(_CONFIG) == "root:gsmgw 640"
    assert box.path(_CONFIG).read_text() == (ROOT / "config/gsmgw.yaml").read_text()
    for folder in ("", "/outgoing", "/checked", "/sent", "/failed", "/incoming", "/report"):
        assert box.mode(_SPOOL + folder) == "gsmgw:gsmgw 2770", folder
    assert box.mode(_SPOOL + "/.tmp") == "gsmgw:gsmgw 2700"
    assert box.mode("/var/lib/gsmgw") == "gsmgw:gsmgw 2770"
    # Nothing is started, and nothing will be at the next boot, before somebody has set it up.
    wanted = box.path("/etc/systemd/system/multi-user.target.wants")
    assert not (wanted / "gsmgw.service").is_symlink()
    assert "0 modems" in box.run("gsmgw", "check").stdout
    assert "modem.none" in box.run("gsmgw", "doctor", code=1).stdout
    assert "All as promised" in box.run("gsmgw", "demo", user="daemon").stdout
    environment = box.run("gsmgw", "--version", user="daemon").stdout
    assert re.fullmatch(r"gsmgw \d+\.\d+\.\d+\n", environment)


def test_what_was_there_before_is_kept_and_named(box: Box, packages: dict[str, Path]) -> None:
    box.path("/etc/gsmgw").mkdir()
    box.path(_CONFIG).write_text("country: GB\n")
    box.path("/etc/systemd/system/gsmgw.service").write_text("[Service]\n")
    said = install(box, packages["new"])
    assert box.path(_CONFIG).read_text() == "country: GB\n"
    assert "/etc/systemd/system/gsmgw.service is of an earlier installation" in said


#: Writes down what it is asked; is-active and is-enabled are true if a file says so.
_SYSTEMCTL = """\
#!/bin/sh
echo "$*" >>/tmp/asked
case "$*" in
*is-active*) test -e /tmp/active ;;
*is-enabled*) test -e /tmp/enabled && echo enabled ;;
*try-restart*) test ! -e /tmp/broken ;;
esac
"""


def test_what_it_asks_of_systemd(box: Box, packages: dict[str, Path]) -> None:
    box.path("/run/systemd/system").mkdir(parents=True)
    box.path("/usr/bin/systemctl").write_text(_SYSTEMCTL)

    def asked() -> list[str]:
        path = box.path("/tmp/asked")
        lines = path.read_text().splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return [line for line in lines if "is-active" not in line and "is-enabled" not in line]

    install(box, packages["old"])
    assert asked() == ["daemon-reload"]  # neither enabled nor started
    install(box, packages["new"])
    assert asked() == ["daemon-reload"]  # it did not run, and so it does not now
    box.path("/tmp/enabled").touch()
    assert "To start it: systemctl start gsmgw" in install(box, packages["new"])
    assert asked() == ["daemon-reload"]
    box.path("/tmp/active").touch()
    assert "goes on with the new version" in install(box, packages["new"])
    assert asked() == ["daemon-reload", "try-restart gsmgw.service"]
    box.path("/tmp/broken").touch()  # the new one does not start: said, and dpkg is content
    assert "What is wrong says: gsmgw doctor" in install(box, packages["new"])
    asked()
    box.run("dpkg", "-r", "gsmgw")
    assert asked() == ["stop gsmgw.service", "daemon-reload"]


def test_what_is_inside(packages: dict[str, Path], tmp_path: Path) -> None:
    subprocess.run(["dpkg-deb", "-R", str(packages["new"]), str(tmp_path / "tree")], check=True)
    files = [path for path in (tmp_path / "tree").rglob("*") if not path.is_dir()]
    built = str(ROOT).encode()
    # Byte code names the file it came from: the place where it is installed.
    assert not [path for path in files if not path.is_symlink() and built in path.read_bytes()]
    compiled = [path for path in files if path.suffix == ".pyc"]
    sources = [path for path in files if path.suffix == ".py" and "site-packages" in path.parts]
    assert len(compiled) == len(sources) > 500
    own = next(path for path in compiled if path.name.startswith("daemon."))
    assert b"/usr/lib/gsmgw/lib/python3.11/site-packages/gsmgw/daemon.py" in own.read_bytes()
    listed = subprocess.run(
        ["dpkg-deb", "-c", str(packages["new"])], capture_output=True, text=True, check=True
    )
    assert {line.split()[1] for line in listed.stdout.splitlines()} == {"root/root"}
    share = tmp_path / "tree/usr/share"
    assert gzip.decompress((share / "man/man1/gsmgw.1.gz").read_bytes()).startswith(b".")
    for place in (
        *("man/man5/gsmgw.yaml.5.gz", "bash-completion/completions/gsmgw"),
        *("zsh/vendor-completions/_gsmgw", "fish/vendor_completions.d/gsmgw.fish"),
        *("doc/gsmgw/copyright", "doc/gsmgw/docs/install.md", "doc/gsmgw/docs/operate.md"),
        "lintian/overrides/gsmgw",
    ):
        assert (share / place).is_file(), place
    assert (tmp_path / "tree/usr/lib/systemd/catalog/gsmgw.catalog").is_file()
    changed = gzip.decompress((share / "doc/gsmgw/changelog.gz").read_bytes()).decode()
    assert changed.startswith(f"gsmgw ({__version__}) stable; urgency=")
    control = (tmp_path / "tree/DEBIAN/control").read_text()
    folded = [line for line in control.partition("Description:")[0].splitlines() if line[0] == " "]
    assert folded == []


def test_the_same_source_makes_the_same_files(packages: dict[str, Path]) -> None:
    """The two versions differ in what dpkg is told, and in nothing that is installed."""
    contents = [
        subprocess.run(["dpkg-deb", "--fsys-tarfile", str(path)], capture_output=True, check=True)
        for path in packages.values()
    ]
    assert contents[0].stdout == contents[1].stdout


def test_all_libraries_have_wheels_for_arm64(tmp_path: Path) -> None:
    """By the command that the document gives, as it stands there."""
    text = (ROOT / "docs/install.md").read_text("utf-8")
    (line,) = re.findall(
        r"^pip (download --platform manylinux2014_aarch64 .+)$", text, re.MULTILINE
    )
    words = shlex.split(line.replace("/tmp/wheels", str(tmp_path)))
    pip = [sys.executable, "-m", "pip", *words, "--quiet"]
    done = subprocess.run(pip, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pins = (ROOT / "packaging/requirements.txt").read_text("utf-8")
    assert len(list(tmp_path.glob("*.whl"))) == pins.count("==")
