# SPDX-License-Identifier: Apache-2.0
"""Power loss before any change of a file in the clinic's folders: nothing lost, nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from clinic_doors_support import Doors, table
from spool_support import Killed, PowerCut, kill_at

from gsmgw.spool import files
from gsmgw.spool.clinic import importing

SIU = (
    "MSH|^~\\&|GABINET|LIPOWA|GSMGW|LIPOWA|20260302081500||SIU^S12|{control}|P|2.5\r"
    "SCH||H-{control}|||||K|N|20|min|^^20^20260305101500\r"
)
MESSAGES = SIU.format(control="M1") + "PID|1||47||K^Anna||||||||500100211\r"
MESSAGES += SIU.format(control="M2")
CHANGES = 60


def prepare(doors: Doors) -> None:
    doors.drop("visits-1.csv", table(1, 2, 3, 4, 5))
    doors.drop("x.hl7", MESSAGES)
    doors.drop("bad.json", "{")
    for number in range(3):
        doors.answer(str(number), visit=None)


def play(doors: Doors, got: list[str]) -> None:
    """Let everything be done, and let the clinic's program take its answers."""
    doors.take()
    doors.handing.hand_over()
    for path in sorted(doors.places.replies.iterdir()):
        got.append(path.name)
        path.unlink()


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "ROWS_AT_ONCE", 2)


def test_there_are_as_many_changes_as_are_tried(tmp_path: Path) -> None:
    doors = Doors(tmp_path)
    prepare(doors)
    seen: list[str] = []
    with files.recording(lambda change, paths: seen.append(change)):
        play(doors, [])
    doors.close()
    assert 30 < len(seen) <= CHANGES


@pytest.mark.parametrize("power", [False, True])
@pytest.mark.parametrize("number", range(CHANGES))
def test_death_before_any_change(tmp_path: Path, number: int, *, power: bool) -> None:
    doors = Doors(tmp_path)
    prepare(doors)
    got: list[str] = []
    cut = PowerCut()
    try:
        with files.recording(cut.note), files.recording(kill_at(number)):
            play(doors, got)
    except Killed:
        pass
    if power:
        cut.strike()
    for _ in range(2):
        doors.restart()
        doors.clock.advance(60)
        play(doors, got)
    if power:
        # A file that was taken before its removal and its rename were on disk may come back.
        assert sorted(set(got)) == ["000001.json", "000002.json", "000003.json"]
    else:
        assert sorted(got) == ["000001.json", "000002.json", "000003.json"]
    ack = doors.ack("visits-1.csv")
    assert (ack["accepted"], ack["refused"]) == (5, 0)
    visits = doors.rows("SELECT * FROM appointment ORDER BY id")
    assert [row["id"] for row in visits] == ["A-1", "A-2", "A-3", "A-4", "A-5", "H-M1"]
    assert all(row["version"] == 1 for row in visits)
    hl7 = doors.ack("x.hl7")
    assert (hl7["accepted"], hl7["refused"]) == (1, 1)
    made = doors.rows("SELECT count(*) AS n FROM request")[0]["n"]
    assert ack["requests"] + hl7["requests"] == made
    assert (doors.places.ack / "x.hl7").read_bytes().count(b"MSA|") == 2
    assert doors.tree("in", "failed") == {
        "in": [],
        "failed": ["bad.json", "bad.json.err", "x.hl7", "x.hl7.err"],
    }
    doors.close()


@pytest.mark.parametrize("commit", range(12))
def test_death_before_any_commit(
    tmp_path: Path, commit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each piece is stored with what is said of it: killed between pieces, it goes on there."""
    doors = Doors(tmp_path)
    prepare(doors)
    left = [commit]
    inner = type(doors.db).write

    def write(self: object, **options: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise Killed
        return inner(self, **options)  # type: ignore[arg-type]

    got: list[str] = []
    with monkeypatch.context() as patched:
        patched.setattr(type(doors.db), "write", write)
        with pytest.raises(Killed):
            play(doors, got)
    doors.restart()
    play(doors, got)
    assert sorted(got) == ["000001.json", "000002.json", "000003.json"]
    ack, hl7 = doors.ack("visits-1.csv"), doors.ack("x.hl7")
    assert (ack["accepted"], hl7["accepted"], hl7["refused"]) == (5, 1, 1)
    assert not any(ack["remarks"].count(remark) > 1 for remark in ack["remarks"])
    made = doors.rows("SELECT count(*) AS n FROM request")[0]["n"]
    assert ack["requests"] + hl7["requests"] == made
    doors.close()
