# SPDX-License-Identifier: Apache-2.0
"""The programs in PHP of docs/integrate.md, as they stand there, on the real daemon."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import integrate_support
import pytest
from site_support import Site, site

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("php"), reason="needs php (Debian package php-cli)"),
]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Site]:
    with site(tmp_path, integrate_support.SCENARIO) as running:
        yield running


def php(box: Site, *words: str) -> str:
    program = integrate_support.write(box.folder, "sms.php")
    done = integrate_support.run(box, "php", "-d", "error_reporting=E_ALL", program, *words)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


def test_files_and_their_results(box: Site) -> None:
    text = "Jutro o 9:30. Zażółć 👍 \"'); DROP TABLE"
    name = php(box, "send", "+48500100201", "visit-17", text).strip()
    box.until(lambda: php(box, "result", name).startswith(("sent ", "delivered ")))
    assert box.phone("+48500100201") == [text]
    box.until(lambda: len(box.files("incoming")) == 1)
    assert php(box, "answers") == "48500100201: TAK, dziękuję 👍\n"
    assert php(box, "answers") == ""


def test_a_message_that_is_refused(box: Site) -> None:
    name = php(box, "send", "+48500100203", "visit-18", "Hi").strip()
    box.until(lambda: php(box, "result", name).startswith("failed "))
    name = php(box, "send", "nobody", "visit-19", "Hi").strip()
    box.until(lambda: php(box, "result", name).startswith("rejected "))


def test_rows_with_pdo(box: Site) -> None:
    done = integrate_support.run(box, "php", "-r", "echo extension_loaded('pdo_sqlite');")
    if done.stdout != "1":
        pytest.skip("needs PHP's SQLite (Debian package php-sqlite3)")
    (program,) = [one for one in integrate_support.examples("php") if "new PDO" in one]
    path = box.folder / "row.php"
    path.write_text(program.replace("/var/lib/gsmgw/gsmgw.db", str(box.database)))
    done = integrate_support.run(box, "php", "-d", "error_reporting=E_ALL", path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    box.until(lambda: box.phone("+48500100202") == ["Jutro o 8:30 badanie krwi."])
