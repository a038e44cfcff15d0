# SPDX-License-Identifier: Apache-2.0
"""The wire: links, quality, and programs that do not read."""

from __future__ import annotations

from pathlib import Path

import pytest
import simulator_support as support

from gsmgw import errors
from gsmgw.simulator import Simulator, line

PATIENT = "+48500100201"


def test_links_lead_to_a_terminal_and_go_away(tmp_path: Path) -> None:
    link = tmp_path / "by-id" / "usb-front"
    with Simulator(support.scenario(link=str(link))) as simulator:
        assert simulator.ports == {"front": str(link)}
        assert str(link.readlink()).startswith("/dev/pts/")
        assert [path.name for path in link.parent.iterdir()] == ["usb-front"]
    assert not link.is_symlink()
    simulator.stop()


def test_links_of_their_own_directory_go_away() -> None:
    with Simulator(support.scenario()) as simulator:
        directory = Path(simulator.ports["front"]).parent
        assert directory.is_dir()
    assert not directory.exists()


def test_a_given_directory_is_used_and_stays(tmp_path: Path) -> None:
    with Simulator(support.scenario(), directory=tmp_path) as simulator:
        assert simulator.ports["front"] == str(tmp_path / "front")
    assert tmp_path.is_dir()


def test_a_file_in_the_way_is_not_replaced(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    simulator = Simulator(support.scenario(link=str(precious)))
    with pytest.raises(errors.GsmgwError, match="no symbolic link"):
        simulator.start()
    assert precious.read_text() == "mine"


def test_a_dangling_link_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "front").symlink_to("/dev/pts/99999")
    with support.one_modem(support.scenario(link=str(tmp_path / "front"))) as (_, client):
        assert client.lines("AT") == ["OK"]


def test_a_link_that_somebody_else_set_stays(tmp_path: Path) -> None:
    link = tmp_path / "front"
    with Simulator(support.scenario(link=str(link))):
        link.unlink()
        link.symlink_to("/dev/null")
    assert str(link.readlink()) == "/dev/null"


def test_not_plugged_in_at_first(tmp_path: Path) -> None:
    link = tmp_path / "front"
    layout = support.scenario(link=str(link), plugged="no")
    with Simulator(layout) as simulator:
        assert not link.is_symlink()
        simulator.plug("front")
        client = support.Client(link)
        client.at("ATE0")
        simulator.plug("front")  # once more does no harm
        assert client.lines("AT") == ["OK"]
        client.close()


@pytest.mark.parametrize(
    "quality",
    [{"gap": "0.1ms"}, {"delay": "3ms"}, {"gap": "0s", "delay": "1ms"}],
    ids=["byte by byte", "delay", "both"],
)
def test_bad_wires_carry_everything(quality: dict[str, str]) -> None:
    with support.one_modem(support.scenario(quality=quality)) as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        assert client.submit(PATIENT, "A text over a bad wire").startswith("+CMGS: 0")
        simulator.receive(PATIENT, "front", "An answer over a bad wire")
        client.read_until(b'+CMTI: "SM",1\r\n')
        assert len(client.lines("AT+CMGL=4")) == 3
        assert simulator.books.taken[0].text == "A text over a bad wire"


def test_bytes_come_one_by_one() -> None:
    with support.one_modem() as (simulator, client):
        simulator.quality("front", line.Quality(gap_s=0.4))
        client.write(b"AT\r")
        assert client.read_some(support.PATIENCE_S)
        first = client.received
        assert len(first) < len(b"\r\nOK\r\n")
        assert client.read_until(b"OK\r\n") == "\r\nOK\r\n"


def test_a_line_inside_every_answer() -> None:
    with support.one_modem() as (simulator, client):
        simulator.quality("front", line.Quality(inside="^RSSI:17"))
        assert client.lines("AT+CSQ") == ["+CSQ: 17,99", "^RSSI:17", "OK"]
        assert client.lines("AT") == ["^RSSI:17", "OK"]


def test_a_header_is_never_parted_from_its_pdu() -> None:
    with support.one_modem() as (simulator, client):
        for text in ("one", "two"):
            simulator.receive(PATIENT, "front", text)
        simulator.quality("front", line.Quality(inside="^RSSI:17"))
        found = client.lines("AT+CMGL=4")
        assert [text[:5] for text in found] == ["+CMGL", "07918", "^RSSI", "+CMGL", "07918", "OK"]


def fill(simulator: Simulator, count: int) -> None:
    """Put messages of 160 letters into the first modem."""
    for number in range(count):
        simulator.receive(PATIENT, "front", f"{number:04d}" * 40)
    assert simulator.books.wait(
        lambda kept: len(kept.incoming) == count and kept.incoming[-1].received_at is not None,
        support.PATIENCE_S,
    )


def test_long_answers_arrive_whole() -> None:
    with support.one_modem(support.scenario(memory={"SM": 1000})) as (simulator, client):
        fill(simulator, 400)
        client.write(b"AT+CMGL=4\r")
        assert simulator.state()["front"]["plugged"]  # the terminal is full by now, and held up
        found = [line for line in client.read_until(support.FINAL).splitlines() if line]
        assert len(found) == 801
        assert {len(line) for line in found[1::2]} == {2 * (8 + 159)}


def test_a_program_that_does_not_read_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line, "_HELD_MAX", 1000)
    with support.one_modem(support.scenario(memory={"SM": 1000})) as (simulator, client):
        fill(simulator, 400)
        client.write(b"AT+CMGL=4\r")
        assert simulator.state()["front"]["plugged"]
        while not client.quiet(1.0):
            pass
        client.received = b""
        assert client.lines("AT") == ["OK"]


def test_pulled_while_much_is_held_back() -> None:
    with support.one_modem(support.scenario(memory={"SM": 1000})) as (simulator, client):
        fill(simulator, 400)
        client.write(b"AT+CMGL=4\r")
        simulator.unplug("front")
        client.wait_for_end()


def test_pulled_between_two_bytes_and_before_late_input() -> None:
    with support.one_modem() as (simulator, client):
        simulator.quality("front", line.Quality(gap_s=0.01, delay_s=0.02))
        client.write(b"AT+CSQ\r")
        client.read_until(b"\r\n+")
        client.write(b"AT\r")
        simulator.unplug("front")
        simulator.plug("front")
        fresh = support.Client(simulator.ports["front"])
        assert fresh.quiet(0.1)
        fresh.close()


def test_a_program_comes_back_to_what_waits() -> None:
    with support.one_modem() as (simulator, client):
        client.at("AT+CNMI=2,1,0,2,0")
        client.close()
        simulator.receive(PATIENT, "front", "Hi")
        assert simulator.books.wait(
            lambda kept: kept.incoming[0].received_at is not None, support.PATIENCE_S
        )
        client = support.Client(simulator.ports["front"])
        client.read_until(b'+CMTI: "SM",1\r\n')
        client.close()


def test_endless_input_is_thrown_away() -> None:
    with support.one_modem() as (_, client):
        for _ in range(8):
            client.write(b"x" * 1000)
            client.quiet(0.01)
        client.write(b"\r")
        assert client.lines("AT") == ["OK"]


def test_a_pulled_modem_can_be_pulled_again() -> None:
    with Simulator(support.scenario()) as simulator:
        simulator.unplug("front")
        simulator.unplug("front")
        assert simulator.state()["front"]["plugged"] is False


def test_sixteen_modems_at_once() -> None:
    layout = {"modems": [{"name": f"modem{number}"} for number in range(16)]}
    with Simulator(layout) as simulator:
        clients = [support.Client(path) for path in simulator.ports.values()]
        for client in clients:
            client.at("ATE0")
        for count in range(5):
            for client in clients:
                client.begin(support.make_submit(PATIENT, f"Text {client.fd} {count}"))
            for client in clients:
                assert client.read_until(support.FINAL).startswith(f"\r\n+CMGS: {count}")
        assert simulator.books.counts()["taken"] == 80
        assert simulator.books.counts()["sent_again"] == 0
        for client in clients:
            client.close()
