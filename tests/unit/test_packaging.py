# SPDX-License-Identifier: Apache-2.0
"""What packages are made of fits the program: libraries, accounts, directories, unit, scripts."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from gsmgw import __version__
from gsmgw import config as configs
from gsmgw.cli.doctor import machine
from gsmgw.spool import layout

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [
    *sorted((ROOT / "packaging" / "debian").iterdir()),
    ROOT / "packaging" / "archive" / "install.sh",
]


def load(name: str) -> ModuleType:
    """Import a module of the build, which is no package."""
    spec = importlib.util.spec_from_file_location(f"gsmgw_{name}", ROOT / f"packaging/{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


payload = load("payload")
changes = load("changes")


# -- libraries ------------------------------------------------------------------------------------


def pins() -> dict[str, tuple[int, ...]]:
    found = re.findall(r"^([\w-]+)==([\d.]+)", payload.PINS.read_text(), re.MULTILINE)
    return {name.lower(): tuple(map(int, number.split("."))) for name, number in found}


@pytest.mark.parametrize("wish", payload.requirements())
def test_every_library_is_pinned_within_its_bounds(wish: str) -> None:
    name, _, bounds = wish.partition(" ")
    number = pins()[name]
    for bound in bounds.split(","):
        sign, _, value = bound.strip().partition(" ")
        wanted = tuple(int(part) for part in value.removesuffix(".*").split("."))
        fits = {">=": number >= wanted, "<": number < wanted}
        fits["=="] = number[: len(wanted)] == wanted
        assert fits[sign], "run: make pin"


def test_every_pin_has_a_checksum() -> None:
    blocks = payload.PINS.read_text().split("==")[1:]
    assert all("--hash=sha256:" in block for block in blocks)


# -- files ----------------------------------------------------------------------------------------


def test_everything_for_the_system_is_installed() -> None:
    assert {f"systemd/{path.name}" for path in (ROOT / "systemd").iterdir()} <= set(payload.FILES)
    assert not [name for name in payload.FILES if not (ROOT / name).is_file()]


def _lines(name: str) -> list[list[str]]:
    text = (ROOT / "systemd" / name).read_text()
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_directories_are_those_of_the_spool() -> None:
    made = {line[1]: line[2].lstrip(":") for line in _lines("gsmgw.tmpfiles")}
    spool = layout.Layout(Path("/var/spool/gsmgw"))
    wanted = {str(path): f"{mode:o}" for path, mode in [(spool.root, 0o2770), *spool._folders()]}
    assert {path: mode for path, mode in made.items() if path.startswith(str(spool.root))} == wanted
    assert made["/var/lib/gsmgw"] == "2770"
    assert made["/etc/gsmgw"] == "0750"


def test_accounts_are_those_of_the_unit() -> None:
    unit = machine.unit(ROOT / "systemd" / "gsmgw.service")
    assert unit is not None
    lines = _lines("gsmgw.sysusers")
    assert unit.user in {line[1] for line in lines if line[0] == "u"}
    assert unit.group in {line[1] for line in lines if line[0] == "g"}
    members = {line[2] for line in lines if line[0] == "m"}
    assert members == set(unit.groups)


def test_unit_runs_with_the_installed_configuration() -> None:
    unit = machine.unit(ROOT / "systemd" / "gsmgw.service")
    assert unit is not None
    assert unit.config == configs.find()
    assert payload.FILES["config/gsmgw.yaml"] == "share/gsmgw/gsmgw.yaml"
    assert "/usr/share/gsmgw/gsmgw.yaml" in (ROOT / "packaging/debian/postinst").read_text()


def test_what_the_unit_forbids_fails_and_kills_nobody() -> None:
    """`sed -i` in a hook gives its file to whom it belonged; that must not end it by a signal."""
    text = (ROOT / "systemd/gsmgw.service").read_text()
    filters = re.findall(r"^SystemCallFilter=(.+)$", text, re.MULTILINE)
    assert filters.index("@chown") > filters.index("~@privileged @resources")
    assert filters.index("sched_setaffinity") > filters.index("~@privileged @resources")
    assert "\nSystemCallErrorNumber=EPERM\n" in text


def test_pin_as_a_credential_of_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    path = tmp_path / "gsmgw.yaml"
    path.write_text("modems: [{name: front, port: /dev/ttyUSB0, pin_file: front.pin}]")
    (modem,) = configs.check(path).config.modems
    assert modem.pin_file == tmp_path / "front.pin"
    unit = (ROOT / "systemd" / "gsmgw.service").read_text()
    assert "#LoadCredential=front.pin:/etc/gsmgw/front.pin" in unit


def test_udev_rules_are_whole() -> None:
    lines = (ROOT / "systemd" / "60-gsmgw.rules").read_text().splitlines()
    rules = [line.lstrip("# ") for line in lines if "SUBSYSTEM==" in line]  # the example too
    assert len(rules) == 6
    assert not [line for line in lines if line and line[0] != "#" and line not in rules]
    for rule in rules:
        for term in rule.split(", "):
            assert re.fullmatch(r'[A-Z]+(\{\w+\})?(==|!=|=|\+=)"[^"]*"', term), rule


# -- scripts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_posix_shell(script: Path) -> None:
    assert script.read_text().startswith("#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n")
    subprocess.run(["sh", "-n", str(script)], check=True)


@pytest.mark.parametrize("script", ["prerm", "postrm", "postinst"])
def test_maintainer_scripts_let_other_actions_pass(script: Path) -> None:
    path = ROOT / "packaging" / "debian" / script
    subprocess.run(["sh", str(path), "failed-upgrade", "0.1.0"], check=True)


# -- the archive's install script: what it refuses, always without a service ----------------------


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """Make what looks like an unpacked archive, with a wheel that is none."""
    folder = tmp_path / "archive"
    (folder / "wheels").mkdir(parents=True)
    text = (ROOT / "packaging" / "archive" / "install.sh").read_text()
    machine_name = subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True)
    number = f"{sys.version_info[0]}.{sys.version_info[1]}"
    facts = {"@VERSION@": "9.9.9", "@MACHINE@": machine_name.stdout.strip(), "@PYTHONS@": number}
    for mark, value in facts.items():
        text = text.replace(mark, value)
    (folder / "install.sh").write_text(text)
    (folder / "wheels" / "pip-1-py3-none-any.whl").write_text("no wheel")
    write_sums(folder)
    return folder


def write_sums(folder: Path) -> None:
    names = ("install.sh", "wheels/pip-1-py3-none-any.whl")
    sums = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}" for name in names]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n")


def install(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run the script; it never gets as far as account and service."""
    command = ["sh", "./install.sh", "--no-service", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--prefix", "here"), "wants a full path"),
        (("--prefix", "/"), "mix gsmgw with the system"),
        (("--prefix=/usr",), "the system's own packages"),
        (("--prefix", "/tmp/a b"), "letters, digits"),
        (("--prefix",), "--prefix wants a value"),
        (("--python", "/nonexistent/python", "--prefix", "/tmp/x"), "is no Python that fits"),
    ],
)
def test_install_script_refuses_in_words(unpacked: Path, words: tuple[str, ...], said: str) -> None:
    done = install(unpacked, *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.startswith("install.sh: ")


def test_unknown_option_shows_the_known_ones(unpacked: Path) -> None:
    done = install(unpacked, "--purge")
    assert done.returncode == 64
    assert "no option --purge" in done.stderr
    for option in ("--prefix", "--no-service", "--remove", "--python"):
        assert option in done.stderr


def test_help_has_a_right_first_line(unpacked: Path) -> None:
    done = install(unpacked, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Installs gsmgw 9.9.9")


@pytest.fixture
def there() -> Iterator[Path]:
    """A place to install to: not below TMPDIR, whose path may hold what a prefix may not."""
    with tempfile.TemporaryDirectory(prefix="gsmgw-there-", dir="/tmp") as folder:
        yield Path(folder) / "there"


def test_damaged_archive_is_not_used(unpacked: Path, there: Path) -> None:
    (unpacked / "wheels" / "pip-1-py3-none-any.whl").write_text("no wheeL")
    done = install(unpacked, "--prefix", str(there))
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "wheels/pip-1-py3-none-any.whl" in done.stderr
    (unpacked / "SHA256SUMS").unlink()
    assert "SHA256SUMS is missing" in install(unpacked, "--prefix", "/tmp/x").stderr
    assert not there.exists()


def test_another_machine_is_told(unpacked: Path, there: Path) -> None:
    text = (unpacked / "install.sh").read_text()
    (unpacked / "install.sh").write_text(re.sub(r"^machine=.*$", "machine=vax", text, flags=re.M))
    write_sums(unpacked)
    done = install(unpacked, "--prefix", str(there))
    assert done.returncode == 1
    assert "this archive is for vax" in done.stderr


def test_failed_installation_leaves_the_old_program(unpacked: Path, there: Path) -> None:
    old = there / "lib" / "gsmgw" / "old"
    old.parent.mkdir(parents=True)
    old.write_text("works")
    done = install(unpacked, "--prefix", str(there), "--python", sys.executable)
    assert done.returncode == 1
    assert "nothing has been changed" in done.stderr
    assert old.read_text() == "works"


def test_build_says_which_python_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(payload, "BUILD", tmp_path)
    monkeypatch.setattr(payload, "PYTHON", "3.1")
    with pytest.raises(payload.BuildError, match="DEB_PYTHON="):
        payload.builder()
    assert not shutil.which("python3.1")


def test_changelog_is_one_that_debian_reads() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    made = changes.as_debian(text, "gsmgw maintainers <m@gsmgw.invalid>")
    lines = made.splitlines()
    assert lines[0] == f"gsmgw ({__version__}) stable; urgency=medium"
    assert lines[-1].startswith(" -- gsmgw maintainers <")
    assert all(re.fullmatch(r"(gsmgw \(.*| -- .*|  \* .*|    .*|)", line) for line in lines)
    assert made.count("  * ") == len(re.findall(r"^- ", text, re.MULTILINE))


def test_what_is_not_released_is_left_out() -> None:
    text = "## [Unreleased]\n\n- one\n\n## [2.0.0] - 2027-01-31\n\n### Added\n\n- two,\n  two\n"
    assert changes.as_debian(text, "a <b@c.invalid>") == (
        "gsmgw (2.0.0) stable; urgency=medium\n\n  * two, two\n\n"
        " -- a <b@c.invalid>  Sun, 31 Jan 2027 12:00:00 +0000\n"
    )
