# SPDX-License-Identifier: Apache-2.0
"""A Debian in a directory, for the tests of the packages: made once, copied for each test."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = os.environ.get("DEB_PYTHON", "/usr/bin/python3")
SUITE = "bookworm"
#: Beside what every Debian has: what the package depends on.
PACKAGES = ("python3", "systemd", "udev", "procps")
_SANE = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LC_ALL": "C.UTF-8",
}
#: The simulated modem answers within a second; the machine may be busy.
PATIENCE_S = 60.0


def build(*words: str) -> Path:
    """Build a package from this tree; return its file."""
    done = subprocess.run(
        [PYTHON, str(ROOT / "packaging" / "build.py"), *words],
        check=True,
        env={"SOURCE_DATE_EPOCH": "1790000000", **os.environ},
        stdout=subprocess.PIPE,
        text=True,
    )
    return Path(done.stdout.splitlines()[-1])


def image(cache: Path) -> Path:
    """Return a Debian that nobody changes, made from the machine's own mirror if need be."""
    wanted = image_path(cache)
    if wanted.is_dir():
        return wanted
    half = wanted.with_name(wanted.name + ".half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    words = ["--variant=minbase", f"--include={','.join(PACKAGES)}", SUITE, str(half), mirror()]
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    subprocess.run(["debootstrap", *words], check=True, env={**os.environ, "PATH": path})
    shutil.rmtree(half / "var/cache/apt", ignore_errors=True)
    # It is thrown away in any case: no waiting for the disk after each file.
    (half / "etc/dpkg/dpkg.cfg.d/unsafe").write_text("force-unsafe-io\n")
    half.rename(wanted)
    return wanted


def image_path(cache: Path) -> Path:
    """Return where the Debian is kept; the name says how it was made."""
    return cache / f"{SUITE}-{'-'.join(PACKAGES)}-2"


def mirror() -> str:
    """Return where this machine's apt gets its packages of the suite from; "" if it does not."""
    words = ["apt-get", "indextargets", "--format", "$(ORIGIN)/$(CODENAME) $(REPO_URI)"]
    words.append("Created-By: Packages")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    found = (line.partition(" ") for line in done.stdout.splitlines())
    return next((address for name, _, address in found if name == f"Debian/{SUITE}"), "")


def is_reachable(address: str) -> bool:
    """Tell whether a mirror answers."""
    try:
        with urllib.request.urlopen(f"{address}dists/{SUITE}/Release", timeout=20) as answer:
            return bool(answer.read(1))
    except (OSError, ValueError):
        return False


class Box:
    """A machine without systemd as its first process: what an installer sees, or a container."""

    def __init__(self, debian: Path, folder: Path) -> None:
        self.root = folder
        self._lay_over(debian)
        self._mount("proc", "proc")
        self._mount("devpts", "dev/pts", "newinstance,ptmxmode=0666,mode=0620")
        (folder / "dev/ptmx").unlink(missing_ok=True)
        (folder / "dev/ptmx").symlink_to("pts/ptmx")
        self._processes: list[subprocess.Popen[str]] = []

    def _lay_over(self, debian: Path) -> None:
        """Let only what changes be written; where the kernel does not do that, copy everything."""
        self._changes = self.root.with_name(self.root.name + ".changes")
        for place in (self.root, self._changes / "upper", self._changes / "work"):
            place.mkdir(parents=True)
        layers = f"lowerdir={debian},upperdir={self._changes}/upper,workdir={self._changes}/work"
        words = ["mount", "-t", "overlay", "-o", layers, "overlay", str(self.root)]
        self._is_layered = subprocess.run(words, check=False).returncode == 0
        if not self._is_layered:
            subprocess.run(["cp", "-a", f"{debian}/.", str(self.root)], check=True)

    def _mount(self, kind: str, place: str, options: str = "rw") -> None:
        words = ["mount", "-t", kind, "-o", options, kind, str(self.root / place)]
        subprocess.run(words, check=True)

    def close(self) -> None:
        """End its processes and take it away."""
        for process in self._processes:
            process.kill()
            process.communicate()
        for place in ("dev/pts", "proc", *([""] if self._is_layered else [])):
            subprocess.run(["umount", str(self.root / place)], check=True)
        shutil.rmtree(self.root)
        shutil.rmtree(self._changes)

    def path(self, place: str) -> Path:
        """Return a place of the machine as we see it."""
        return self.root / place.lstrip("/")

    def mode(self, place: str) -> str:
        """Return owner, group and mode of a place, by name, in the machine's words."""
        return self.run("stat", "-c", "%U:%G %a", place).stdout.strip()

    def put(self, file: Path) -> str:
        """Copy a file of ours into the machine; return its place there."""
        shutil.copy(file, self.path("/root"))
        return f"/root/{file.name}"

    # -- programs ---------------------------------------------------------------------------------

    def _words(self, words: Sequence[str], user: str | None) -> list[str]:
        become = []
        if user is not None:
            become = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]
        return ["chroot", str(self.root), *become, *words]

    def run(
        self, *words: str, user: str | None = None, code: int | None = 0, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the machine; fail unless it ends with a certain code (None: any)."""
        done = subprocess.run(
            self._words(words, user),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=_SANE,
        )
        assert code is None or done.returncode == code, (words, done.stdout, done.stderr)
        return done

    @contextlib.contextmanager
    def running(self, *words: str, user: str) -> Iterator[subprocess.Popen[str]]:
        """Let a program of the machine run; end it with SIGTERM, and see that it ends well."""
        with self.path("/tmp/output").open("w") as output:
            process = subprocess.Popen(
                self._words(words, user),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                text=True,
                env=_SANE,
            )
        self._processes.append(process)
        yield process
        process.terminate()
        assert process.wait(PATIENCE_S) == 0, self.path("/tmp/output").read_text()

    @contextlib.contextmanager
    def modem(self) -> Iterator[str]:
        """Let a simulated modem run as the daemon's user; yield its port."""
        process = subprocess.Popen(
            self._words(["gsmgw", "simulate", "--modems", "1"], "gsmgw"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**_SANE, "PYTHONUNBUFFERED": "1"},
        )
        self._processes.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.split()[2]  # port NAME FILE
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


def until(condition: Callable[[], object], why: Callable[[], str]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.05)
