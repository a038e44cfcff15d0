# SPDX-License-Identifier: Apache-2.0
"""The credit of prepaid SIMs: asked between parts, read, kept, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import factories
import pytest
from gateway_support import Rig

from gsmgw import logs
from gsmgw.gateway.health import balance, judgement, metrics, record
from gsmgw.gateway.health.checkups import Checkups
from gsmgw.gateway.health.trouble import Trouble
from gsmgw.model import ModemState
from gsmgw.store.watching import balances

WANTED = {"ussd": "*101#", "every": "1d", "warn_below": "10"}
DAY_S = 86_400


class Desk:
    """A gateway whose modem `front` has a prepaid SIM."""

    def __init__(self, folder: Path) -> None:
        modems = [factories.make_modem("front", balance=WANTED), factories.make_modem("back")]
        self.rig = Rig(folder, factories.make_config(modems=modems))
        self.asking = balance.Balance(self.rig.config, self.rig.db, self.rig.hints)
        self.rig.attach("front")
        self.rig.attach("back")

    def answer(self, words: str, error: str | None = None) -> bool:
        """Play the modem: run the line that waits; tell whether there was one."""
        command = self.rig.dispatcher.next_command("front")
        if command is None:
            return False
        assert (command.kind, command.line) == ("ussd", "*101#")
        self.rig.dispatcher.command_done(command.command_id, words, error)
        return True

    def ask(self, words: str, error: str | None = None) -> bool:
        self.asking.work()
        asked = self.answer(words, error)
        self.asking.work()
        return asked

    def credit(self) -> Any:
        return next(modem for modem in self.health().modems if modem["name"] == "front")["balance"]

    def health(self) -> record.Health:
        now = self.rig.clock.now()
        return record.gather(self.rig.config, self.rig.db, now, daemon_pid=1, outgoing=None)

    def found(self) -> list[Trouble]:
        return [one for one in judgement.judge(self.health()) if one.name.startswith("balance.")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.rig.close()


def test_credit_is_asked_for_once_a_day(desk: Desk) -> None:
    assert desk.ask("Twoje konto: 23,40 PLN, wazne do 12.12.2026")
    assert not desk.ask("")
    desk.rig.clock.advance(DAY_S - 60)
    assert not desk.ask("")
    desk.rig.clock.advance(120)
    assert desk.ask("Konto: 21.00 zl")
    assert (desk.credit()["amount"], desk.credit()["errors"]) == (21.0, 0)
    assert desk.found() == []


def test_answer_is_awaited_and_not_asked_for_twice(desk: Desk) -> None:
    desk.asking.work()
    desk.asking.work()
    assert desk.answer("Konto: 21.00 zl")
    assert not desk.answer("")


def test_little_credit_is_told(desk: Desk) -> None:
    desk.ask("Konto 9,99 zl")
    (found,) = desk.found()
    assert (found.name, found.level, found.where) == ("balance.low", "warning", "front")
    assert found.what == "the credit of its SIM is 9.99"
    text = metrics.format_metrics(desk.health(), [])
    assert 'gsmgw_sim_credit{modem="front"} 9.99' in text


def test_credit_that_ends_within_a_week_is_told(desk: Desk) -> None:
    for amount in ("90,00", "80,00", "100,00", "80,00", "65,00"):  # topped up on the third day
        assert desk.ask(f"Konto {amount} zl")
        desk.rig.clock.advance(DAY_S + 1)
    assert round(desk.credit()["per_day"], 2) == 11.25
    (found,) = desk.found()
    assert found.what == "the credit of its SIM is 65.00, enough for about 5 days"


def test_nothing_is_foretold_from_two_days(desk: Desk) -> None:
    for amount in ("90,00", "20,00"):
        desk.ask(f"Konto {amount} zl")
        desk.rig.clock.advance(DAY_S + 1)
    assert desk.credit()["days_left"] is None


def test_answer_that_cannot_be_read_is_said_and_asked_for_again(desk: Desk) -> None:
    desk.ask("Konto 50,00 zl")
    desk.rig.clock.advance(DAY_S + 1)
    with logs.capture() as records:
        desk.ask("Usluga chwilowo niedostepna")
    assert [str(one.fields["why"]) for one in records if one.event == "balance.unread"]
    assert desk.found() == []
    assert not desk.ask("")
    desk.rig.clock.advance(3601)
    assert desk.ask("", "the network did not answer")
    (found,) = desk.found()
    assert found.name == "balance.unread"
    assert found.what.endswith("the network did not answer")
    assert desk.credit()["amount"] == 50.0
    desk.rig.clock.advance(3601)
    desk.ask("Konto 49,00 zl")
    assert desk.found() == []


def test_line_that_no_modem_runs_is_given_up(desk: Desk) -> None:
    desk.asking.work()
    desk.rig.clock.advance(301)
    desk.asking.work()
    assert desk.credit()["error"] == "the modem has not run the service code"


def test_modem_that_is_away_is_not_asked(desk: Desk) -> None:
    desk.rig.state("front", ModemState.ABSENT)
    assert not desk.ask("")


def test_another_sim_is_asked_for_at_once_and_has_no_past(desk: Desk) -> None:
    desk.ask("Konto 5,00 zl")
    desk.rig.attach("front", sim="8948000000000000777")
    assert desk.credit()["amount"] is None
    assert desk.ask("Konto 70,00 zl")
    assert desk.found() == []


def test_clock_that_was_ahead_does_not_end_the_asking(desk: Desk) -> None:
    desk.rig.clock.jump(400 * DAY_S)
    desk.ask("Konto 50,00 zl")
    desk.rig.clock.jump(-400 * DAY_S)
    assert desk.ask("Konto 50,00 zl")


def test_history_is_bounded(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(balances, "KEPT", 3)
    for _ in range(6):
        assert desk.ask("Konto 50,00 zl")
        desk.rig.clock.advance(DAY_S + 1)
    assert len(desk.rig.db.rows("SELECT 1 FROM balance")) == 3


@pytest.mark.parametrize(
    ("answer", "pattern", "amount"),
    [
        ("Masz 1 234,56 zl", "([0-9][0-9 ]*[.,][0-9]{2})", 1234.56),
        ("Balance: 12.30", "([0-9]+[.,][0-9]{2})", 12.3),
        ("GBP 1.234,50", "[0-9.]+,[0-9]{2}", 1234.5),
        ("Guthaben 7 EUR", "guthaben ([0-9]+)", 7.0),
        ("kein Guthaben", "([0-9]+)", None),
        ("Konto: x,y", "(x,y)", None),
    ],
)
def test_amounts_are_read(answer: str, pattern: str, amount: float | None) -> None:
    assert balance.read_amount(answer, pattern) == amount


def test_service_is_there_only_where_it_is_wanted(desk: Desk) -> None:
    assert Checkups.are_wanted(desk.rig.config)
    assert not Checkups.are_wanted(factories.make_config())
