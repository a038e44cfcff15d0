# SPDX-License-Identifier: Apache-2.0
"""What a package is made of: our files and where they go, our wheel, and the wheels it needs."""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "package"
DIST = ROOT / "dist"
#: All libraries with exact versions and checksums; `make pin` writes it.
PINS = ROOT / "packaging" / "requirements.txt"
#: The Python that the Debian package is for: Debian 12's.
PYTHON = "3.11"
#: The Pythons that the archive has wheels for.
PYTHONS = ("3.11", "3.12", "3.13")
#: Extras of setup.cfg that are small enough to be in every package.
EXTRAS = ("hl7",)
#: Debian's name of a machine: how pip calls it.
MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}

#: Where our files go; the Debian package below /usr, the archive below its own directory.
FILES = {
    "systemd/gsmgw.service": "lib/systemd/system/gsmgw.service",
    "systemd/60-gsmgw.rules": "lib/udev/rules.d/60-gsmgw.rules",
    "systemd/gsmgw.sysusers": "lib/sysusers.d/gsmgw.conf",
    "systemd/gsmgw.tmpfiles": "lib/tmpfiles.d/gsmgw.conf",
    "config/gsmgw.yaml": "share/gsmgw/gsmgw.yaml",
    "README.md": "share/doc/gsmgw/README.md",
    "LICENSE": "share/doc/gsmgw/LICENSE",
    "CHANGELOG.md": "share/doc/gsmgw/CHANGELOG.md",
}
#: Of docs: what people read who run a box or write software against it.
DOCUMENTS = "share/doc/gsmgw/docs"
#: What is written from the program itself: word of gsmgw.cli.reference, where it goes.
GENERATED = {
    "man": "share/man",
    "completion": "share",
    "catalog": "lib/systemd/catalog/gsmgw.catalog",
}
#: Shell: where its completions are looked for.
COMPLETIONS = {
    "bash": "bash-completion/completions/gsmgw",
    "zsh": "zsh/vendor-completions/_gsmgw",
    "fish": "fish/vendor_completions.d/gsmgw.fish",
}


class BuildError(Exception):
    """Something is missing for the build, in words."""


def version() -> str:
    """Return the version of gsmgw."""
    text = (ROOT / "gsmgw" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    if found is None:
        raise BuildError("gsmgw/__init__.py names no version")
    return found.group(1)


def epoch() -> int:
    """Return the time that all files get: $SOURCE_DATE_EPOCH, else that of the newest commit."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given:
        return int(given)
    done = subprocess.run(
        ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"],
        capture_output=True,
        text=True,
        check=False,
    )
    changed = int((ROOT / "CHANGELOG.md").stat().st_mtime)  # an unpacked source has no commits
    return int(done.stdout) if done.returncode == 0 else changed


def run(*words: str | Path, **more: str) -> None:
    """Run a program; its output is shown.

    Raises:
        BuildError: it is not there, or it failed.
    """
    try:
        subprocess.run([str(word) for word in words], check=True, env={**os.environ, **more})
    except FileNotFoundError as error:
        raise BuildError(f"the program {words[0]} is missing") from error
    except subprocess.CalledProcessError as error:
        raise BuildError(f"{words[0]} failed with code {error.returncode}") from error


# -- libraries ------------------------------------------------------------------------------------


def builder() -> Path:
    """Return the Python of an environment that builds and nothing else, made if need be."""
    folder = BUILD / f"python{PYTHON}"
    program = folder / "bin" / "python"
    if not program.exists():
        if f"{sys.version_info[0]}.{sys.version_info[1]}" != PYTHON:
            raise BuildError(
                f"packages are built with Python {PYTHON}, Debian 12's; this is"
                f" {sys.version.split()[0]} ({sys.executable}): make deb DEB_PYTHON=/path/to/python"
            )
        try:
            venv.create(folder, clear=True, with_pip=True)
        except subprocess.CalledProcessError as error:
            shutil.rmtree(folder, ignore_errors=True)
            raise BuildError("the package python3-venv is missing") from error
    return program


def pip(action: str, *words: str | Path) -> None:
    """Run the builder's pip, quietly."""
    options = ("--disable-pip-version-check", "-qq", "--no-input")
    run(builder(), "-W", "ignore", "-m", "pip", action, *options, *words, PIP_NO_COLOR="1")


def for_machine(machine: str, python: str) -> list[str]:
    """Return the options of pip that choose wheels for a machine: libc 2.17 or later."""
    chosen = [f"--platform=manylinux2014_{machine}", f"--platform=manylinux_2_17_{machine}"]
    return [*chosen, f"--python-version={python}", "--only-binary=:all:"]


def fetch_wheels(folder: Path, machine: str, python: str) -> None:
    """Put all libraries into a folder, each with the checksum that is written down for it."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen = for_machine(machine, python)
    options = ["--no-deps", "--require-hashes", "--find-links", str(folder)]
    pip("download", *options, *chosen, "-r", PINS, "-d", folder)


def build_our_wheel(folder: Path) -> None:
    """Build the wheel of gsmgw from a clean copy of its source into a folder."""
    source = BUILD / "source"
    shutil.rmtree(source, ignore_errors=True)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "gsmgw", source / "gsmgw", ignore=ignored)
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    for old in folder.glob("gsmgw-*.whl"):
        old.unlink()
    os.environ["SOURCE_DATE_EPOCH"] = str(epoch())
    pip("wheel", "--no-deps", "-w", folder, source)


def pin() -> None:
    """Write down versions and checksums of all libraries that gsmgw needs, for all machines."""
    wanted = BUILD / "wanted.txt"
    wanted.parent.mkdir(parents=True, exist_ok=True)
    wanted.write_text("\n".join(requirements()) + "\n")
    versions: dict[str, str] = {}
    sums: dict[str, set[str]] = {}
    for machine in MACHINES.values():
        for python in PYTHONS:
            folder = BUILD / f"pin-{machine}-{python}"
            shutil.rmtree(folder, ignore_errors=True)
            pip("download", *for_machine(machine, python), "-r", wanted, "-d", folder)
            for wheel in folder.glob("*.whl"):
                name, number = wheel.name.split("-")[:2]
                if versions.setdefault(name, number) != number:
                    raise BuildError(f"{name}: {versions[name]} here, {number} for {machine}")
                digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
                sums.setdefault(name, set()).add(digest)
    lines = [
        "# All libraries inside the packages, with the checksums of their wheels for",
        f"# {', '.join(MACHINES.values())} and Python {', '.join(PYTHONS)}. Written by: make pin",
    ]
    for name, number in sorted(versions.items()):
        hashes = [f"    --hash=sha256:{digest}" for digest in sorted(sums[name])]
        lines.append(" \\\n".join([f"{name.replace('_', '-')}=={number}", *hashes]))
    PINS.write_text("\n".join(lines) + "\n")


def requirements() -> list[str]:
    """Return what setup.cfg asks for, and the extras that every package has."""
    text = (ROOT / "setup.cfg").read_text("utf-8")
    lines: list[str] = []
    for key in ("install_requires", *EXTRAS):
        found = re.search(rf"^{key} =\n((?:    .*\n)+)", text, re.MULTILINE)
        if found is None:
            raise BuildError(f"setup.cfg has no {key}")
        lines += [line.strip() for line in found.group(1).splitlines()]
    return lines


# -- files ----------------------------------------------------------------------------------------


def put_files(prefix: Path, *, packed: bool) -> None:
    """Put our files below a prefix, and what the program tells of itself.

    Args:
        prefix: the directory that becomes /usr.
        packed: man pages as Debian has them, by gzip.
    """
    for source, target in FILES.items():
        _copy(ROOT / source, prefix / target)
    for document in sorted((ROOT / "docs").glob("*.md")):
        _copy(document, prefix / DOCUMENTS / document.name)
    _generate(prefix)
    if packed:
        for page in sorted((prefix / GENERATED["man"]).rglob("*.[1-8]")):
            content = gzip.compress(page.read_bytes(), 9, mtime=0)
            page.with_name(page.name + ".gz").write_bytes(content)
            page.unlink()


def _generate(prefix: Path) -> None:
    """Let the program write its man pages, completions and catalogue; it runs from the tree."""
    for word, target in GENERATED.items():
        place = BUILD / "generated" / word
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        output = place / Path(target).name if word == "catalog" else place
        run(host_python(), "-m", "gsmgw.cli.reference", word, output, PYTHONPATH=str(ROOT))
        for source, where in _generated(word, output):
            _copy(source, prefix / target / where if where else prefix / target)


def _generated(word: str, output: Path) -> Iterator[tuple[Path, str]]:
    """Yield each written file and its place below the target."""
    if word == "catalog":
        yield output, ""
    elif word == "man":
        for page in sorted(output.rglob("*.[1-8]")):
            yield page, f"man{page.suffix[1:]}/{page.name}"
    else:
        for shell, place in COMPLETIONS.items():
            (found,) = (
                path for path in output.rglob("*") if shell in path.relative_to(output).as_posix()
            )
            yield found, place


def host_python() -> Path:
    """Return a Python of this machine that has all libraries, for running gsmgw from the tree."""
    program = builder()
    stamp = BUILD / f"python{PYTHON}" / "libraries"
    if not stamp.exists() or stamp.read_bytes() != PINS.read_bytes():
        pip("install", "--no-deps", "--require-hashes", "--only-binary=:all:", "-r", PINS)
        shutil.copy(PINS, stamp)
    return program


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def settle(folder: Path) -> None:
    """Give all files below a folder plain modes and one time."""
    for path in [folder, *sorted(folder.rglob("*"))]:
        if not path.is_symlink():
            is_program = path.is_dir() or path.parent.name == "bin"
            is_program = is_program or path.name in ("postinst", "prerm", "postrm", "install.sh")
            path.chmod(0o755 if is_program else 0o644)
        os.utime(path, (epoch(), epoch()), follow_symlinks=False)


def sums(folder: Path, algorithm: str) -> str:
    """Return the checksums of all files below a folder, as md5sum and sha256sum write them."""
    lines = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and not path.is_symlink() and not name.startswith("DEBIAN/"):
            digest = hashlib.new(algorithm, path.read_bytes()).hexdigest()
            lines.append(f"{digest}  {name}\n")
    return "".join(lines)
