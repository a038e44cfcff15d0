# SPDX-License-Identifier: Apache-2.0
"""The support bundle holds what a maintainer needs, and nothing of a patient, a SIM or a secret."""

from __future__ import annotations

import json
import stat
import tarfile
from pathlib import Path

import pytest
from doctor_support import Ward

from gsmgw.cli.doctor import bundle
from gsmgw.model import ModemState, SimState
from gsmgw.store import events

NUMBER, TEXT = "+48500100201", "Pani Kowalska, wizyta o 8:30"


def members(path: Path) -> dict[str, str]:
    with tarfile.open(path) as archive:
        found = {}
        for member in archive.getmembers():
            file = archive.extractfile(member)
            assert file is not None
            found[member.name.removeprefix("gsmgw-doctor/")] = file.read().decode()
    return found


def make(ward: Ward) -> dict[str, str]:
    target = ward.path / "bundle.tar.gz"
    done = ward.run("doctor", "--no-modems", "--bundle", str(target))
    assert done.exit_code in (0, 1), done.output
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    return members(target)


def test_it_holds_findings_configuration_versions_and_log(ward: Ward) -> None:
    ward.log = ["2026-11-22T08:15:10+0100 box gsmgw[812]: warning modem.lost modem=front why=x"]
    found = make(ward)
    assert json.loads(found["doctor.json"])["health"]["schema"] >= 1
    assert json.loads(found["configuration.json"])["modems"][0]["name"] == "front"
    assert json.loads(found["machine.json"])["libraries"]["pyserial"] != "unknown"
    assert found["log.txt"] == "2026-11-22T08:15:10+0100 warning modem.lost modem=front\n"


def test_nothing_of_a_patient_a_sim_or_a_secret_is_in_it(ward: Ward) -> None:
    (ward.path / "front.pin").write_text("4711")
    (ward.path / "front.pin").chmod(0o600)
    ward.configure(
        modem={"pin_file": str(ward.path / "front.pin"), "service_centre": "+48500100299"},
        hooks={"event": ["/bin/sh", "--token=geheim"]},
    )
    with ward.config.open("a") as config:
        config.write(f"# call {NUMBER}, PIN 4711\n")
    ward.sim(SimState.RESTING, f"refused {NUMBER}")
    ward.know(ModemState.READY, why=f"'{TEXT}' to {NUMBER}", imei="490154203237518")
    with ward.db.write() as tx:
        events.add(tx, "part.refused", message_id=1, why=f"'{TEXT}' {NUMBER}")
    ward.raw(ward.database, f"INSERT INTO outbox (recipient, text) VALUES ('{NUMBER}', '{TEXT}')")
    (ward.spool / "failed" / "Kowalska").write_text(TEXT)
    line = f'2026-11-22T08:15:10+0100 box gsmgw[1]: info sms.received sender={NUMBER} text="{TEXT}"'
    ward.log = [line, f"2026-11-22T08:15:10+0100 box sh: {TEXT}"]
    whole = "".join(make(ward).values())
    secrets = ("500100201", "500100299", "Kowalska", "4711", "geheim", "490154203237518", "wizyta")
    for secret in (*secrets, "8948010000000000001"):
        assert secret not in whole, secret


def test_a_configuration_with_mistakes_does_not_give_away_what_was_found(ward: Ward) -> None:
    ward.config.write_text("modems:\n - {name: front, port: 4711, pin: '4711'}\nkowalska: 4711\n")
    found = make(ward)
    assert json.loads(found["doctor.json"])["findings"][0]["name"] == "config.wrong"
    assert "4711" not in "".join(found.values())
    assert "kowalska" not in found["configuration.json"].lower()


def test_no_yaml_at_all_gives_no_line_of_it(ward: Ward) -> None:
    ward.config.write_text(f"modems: [ {NUMBER}\n")
    assert NUMBER not in "".join(make(ward).values())


def test_a_file_that_is_there_is_not_replaced(ward: Ward) -> None:
    target = ward.path / "bundle.tar.gz"
    target.write_text("mine")
    assert ward.run("doctor", "--no-modems", "--bundle", str(target)).exit_code == 73
    assert target.read_text() == "mine"


def test_private_logs_do_not_make_a_private_bundle(ward: Ward) -> None:
    ward.configure(logs={"private": "on"})
    ward.know(ModemState.NEEDS_PIN, why=f"'{TEXT}' {NUMBER}")
    whole = "".join(make(ward).values())
    assert "500100201" not in whole
    assert "Kowalska" not in whole


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("found '4711'; allowed is", "found <4 chars>; allowed is"),
        ("call 48500100201 now", "call 485***201 now"),
        ("PIN 12345", "PIN <number>"),
        ("2026-11-22T08:00:00.000Z", "2026-11-22T08:00:00.000Z"),
        ("/dev/ttyUSB0 is gone", "/dev/ttyUSB0 is gone"),
    ],
)
def test_words_are_hidden(words: str, shown: str) -> None:
    assert bundle.hide(words) == shown
