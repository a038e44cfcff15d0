# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/integrate.md, as they stand there, run beside the real daemon."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from site_support import ROOT, Site

TEXT = (ROOT / "docs" / "integrate.md").read_text("utf-8")
SCENARIO = {
    "modems": [{"name": "front", "submit": "20ms"}],
    "network": {"delivery": "10ms", "report": "10ms"},
    "phones": {
        "+48500100201": {"answers": [{"any": True, "after": "50ms", "text": "TAK, dziękuję 👍"}]},
        "+48500100203": {"refuse": 1},
    },
}


def examples(language: str) -> list[str]:
    """Return all programs in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def example(name: str) -> str:
    """Return the program that names itself so in its first lines."""
    blocks = re.findall(r"^```\w+\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    (found,) = [block for block in blocks if name in "\n".join(block.splitlines()[:3])]
    return found


def write(folder: Path, name: str, *changes: tuple[str, str]) -> Path:
    """Write a program into a file that can be run; paths of a real box may be changed."""
    text = example(name)
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def run(box: Site, *words: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a program as the clinic's software would be: with gsmgw in its path."""
    programs = box.folder / "programs"
    if not programs.exists():
        programs.mkdir()
        command = programs / "gsmgw"
        command.write_text(f'#!/bin/sh\nexec {sys.executable} -m gsmgw "$@"\n')
        command.chmod(0o755)
    return subprocess.run(
        list(map(str, words)),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        cwd=box.folder,
        timeout=100,
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "LANG": "C.UTF-8",
            "SPOOL": str(box.spool),
            "GSMGW_DB": str(box.database),
            "GSMGW_CONFIG": str(box.config),
            "BRIDGE_DB": str(box.folder / "clinic.db"),
        },
    )
