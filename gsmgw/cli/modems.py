# SPDX-License-Identifier: Apache-2.0
"""`gsmgw modem list`, `probe`, `at` and `ussd`: what technicians do with modems."""

from __future__ import annotations

import datetime as dt
import os
import re
import threading
from typing import TYPE_CHECKING

import click

from gsmgw.cli import at_lines, command, display, exits, overview, session
from gsmgw.clock import format_utc
from gsmgw.model import ModemState
from gsmgw.store import modems

if TYPE_CHECKING:
    from gsmgw.cli import probing

#: A part in flight is finished first, and the network may take a minute for it.
TIMEOUT_S = 90.0
#: How often to look whether the answer is there.
_LOOK_S = 0.05

_SERVICE_CODE = re.compile(r"[0-9*#+]{1,160}")
#: States in which a modem runs no line for anybody.
_GONE = (ModemState.ABSENT, ModemState.STUCK)

timeout_option = click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=0.1, max=3600),
    default=TIMEOUT_S,
    show_default=True,
    metavar="SECONDS",
    help="How long to wait for the answer.",
)


@click.group("modem", cls=command.Group)
def modem() -> None:
    """See modems, and ask them something."""


@modem.command(
    "list",
    epilog="""\
gsmgw modem list
""",
)
@command.json_option
@session.pass_session
def list_modems(current: session.Session, as_json: bool) -> None:
    """List the configured modems with their SIMs, as the daemon last knew them."""
    found = overview.modem_documents(current)
    if as_json:
        display.print_json({"modems": found})
        return
    if overview.daemon_pid(current) is None:
        exits.complain("gsmgw: the daemon does not run; this is what it last knew")
    display.print_table(
        ("modem", "state", "SIM", "operator", "dBm", "port"),
        (
            (
                *(row["name"], row["state"] or "unknown", row["sim_state"], row["operator"]),
                *(row["signal_dbm"], row["port"]),
            )
            for row in found
        ),
        wide="port",
        fold=True,
    )
    for row in found:
        if row["why"]:
            click.echo(f"{display.safe(row['name'])}: {display.safe(row['why'])}")
    known = [row for row in found if row["imei"] or row["iccid"]]
    if known:
        click.echo()
        display.print_table(
            ("modem", "model", "IMEI", "ICCID"),
            ((row["name"], row["model"], row["imei"], row["iccid"]) for row in known),
            wide="model",
            fold=True,
        )


@modem.command(
    epilog="""\
gsmgw modem at front AT+CSQ
gsmgw modem at front AT+CFUN=1,1 --force
""",
)
@click.argument("name")
@click.argument("line")
@click.option("--force", is_flag=True, help="Send it although it may change something.")
@timeout_option
@command.json_option
@session.pass_session
def at(
    current: session.Session,
    name: str,
    line: str,
    force: bool,
    timeout_s: float,
    as_json: bool,
) -> int:
    """Have modem NAME answer the AT command LINE, between two parts.

    Lines that only read are sent as they are: ATI, AT+CSQ, AT+COPS?, AT+CPMS=? and the like. All
    others need --force, because they can delete messages (CMGD), lock the SIM (CPIN, CLCK), switch
    the modem off (CFUN) or change how it talks to the daemon (&F, Z, CMGF, ^...). The line stays in
    the database for a while: a PIN belongs into the configuration's pin_file, not here.
    """
    line = line.strip()
    fault = at_lines.fault(line)
    if fault is not None:
        raise exits.CommandError(f"{line!r} is no AT command line: {fault}", exits.DATA)
    if not force and not at_lines.reads_only(line):
        raise exits.CommandError(
            f"{line} may change the modem or its SIM; if you are sure, add --force", exits.USAGE
        )
    answer = ask(current, name, "at", line, timeout_s)
    if as_json:
        display.print_json({"modem": name, "line": line, "answer": answer.split("\n")})
    else:
        for shown in display.safe_lines(answer):
            click.echo(shown)
    return exits.OK if answer.split("\n")[-1] == "OK" else exits.UNAVAILABLE


@modem.command(
    epilog="""\
gsmgw modem ussd front '*100#'
""",
)
@click.argument("name")
@click.argument("code")
@timeout_option
@command.json_option
@session.pass_session
def ussd(current: session.Session, name: str, code: str, timeout_s: float, as_json: bool) -> None:
    """Have modem NAME ask the network with a service CODE, such as the balance of its SIM.

    Quote the code: * and # mean something to the shell.
    """
    if not _SERVICE_CODE.fullmatch(code):
        raise exits.CommandError(
            f"{code!r} is no service code; allowed are digits, *, # and +", exits.DATA
        )
    answer = ask(current, name, "ussd", code, timeout_s)
    if as_json:
        display.print_json({"modem": name, "code": code, "answer": answer})
    else:
        for shown in display.safe_lines(answer):
            click.echo(shown)


@modem.command(
    epilog="""\
gsmgw modem probe
gsmgw modem probe /dev/ttyUSB0 /dev/ttyUSB1
""",
)
@click.argument("ports", metavar="[PORT]...", nargs=-1)
@click.option(
    "--baudrate",
    type=click.IntRange(300, 4_000_000),
    default=115200,
    show_default=True,
    help="Speed of ports that are asked directly.",
)
@command.json_option
@session.pass_session
def probe(current: session.Session, ports: tuple[str, ...], baudrate: int, as_json: bool) -> int:
    """Ask ports who is there: maker, model, IMEI, SIM, operator, signal.

    Without PORT: the configured ones and whatever looks like a modem. Ports that the daemon holds
    are asked through it, the others directly. No PIN is tried.
    """
    from gsmgw.cli import probing

    held = held_by_daemon(current)
    configured = {one.port: one.name for one in current.config.modems if one.port}
    findings = []
    for path in ports or _all_ports(configured, held):
        name = held.get(os.path.realpath(path))
        if name is not None:
            found = ask_daemon(current, name, path)
        else:
            found = probing.ask_port(path, current.clock, baudrate=baudrate)
            found.modem = configured.get(path)
        findings.append(found)
        if not as_json:
            _print_finding(found)
    if as_json:
        display.print_json({"ports": [found.as_json() for found in findings]})
    if not findings:
        exits.complain("gsmgw: there is no port that could be a modem's; see lsusb and dmesg")
    return exits.OK if any(not found.error for found in findings) else exits.UNAVAILABLE


def held_by_daemon(current: session.Session) -> dict[str, str]:
    """Return the devices that the daemon works with, and their modems' names."""
    if overview.daemon_pid(current) is None:
        return {}
    return {
        os.path.realpath(row["port"]): row["name"]
        for row in modems.listing(current.database)
        if row["port"] and row["state"] not in _GONE
    }


def _all_ports(configured: dict[str, str], held: dict[str, str]) -> list[str]:
    from gsmgw.cli import probing

    found = {os.path.realpath(path): path for path in probing.candidate_ports()}
    found.update({os.path.realpath(path): path for path in (*held, *configured)})
    return list(found.values())


def ask_daemon(current: session.Session, name: str, path: str) -> probing.Finding:
    """Ask a port through the daemon that holds it for modem `name`; blocks while it is busy."""
    from gsmgw.cli import probing

    found = probing.Finding(path, modem=name)
    try:
        answer = ask(current, name, "probe", "", TIMEOUT_S)
    except exits.CommandError as error:
        found.error = error.format_message()
        return found
    for line in answer.split("\n"):
        key, _, value = line.partition(":")
        key, value = key.strip(), value.strip()
        if key == "signal":
            found.signal_dbm = probing.dbm(value)
        elif key in _ANSWERED and value:
            setattr(found, key, value)
    known = modems.get(current.database, name)
    if known is not None:
        found.profile = known["profile"]
        found.iccid = known["iccid"]
    return found


#: What the modem itself tells the daemon again.
_ANSWERED = ("manufacturer", "model", "firmware", "imei", "operator")


def _print_finding(found: probing.Finding) -> None:
    facts = found.as_json()
    title = display.safe(facts.pop("port"))
    click.echo(title)
    fill = (f"{memory} {used} of {total}" for memory, (used, total) in found.storages.items())
    facts["storages"] = ", ".join(fill)
    for name, value in facts.items():
        if value not in (None, ""):
            click.echo(f"  {name:<14} {display.safe(value)}")


# -- through the daemon -------------------------------------------------------------------------


def ask(current: session.Session, name: str, kind: str, line: str, timeout_s: float) -> str:
    """Leave a line for a modem's worker and wait for the answer.

    Raises:
        CommandError: there is no such modem, nobody works with it, or no answer came in time.
    """
    names = [one.name for one in current.config.modems]
    if name not in names:
        raise exits.CommandError(
            f"there is no modem {name!r}; configured: {', '.join(names) or 'none'}", exits.USAGE
        )
    if overview.daemon_pid(current) is None:
        raise exits.CommandError(
            f"the daemon does not run, so nobody works with modem {name}; start it (systemctl start"
            " gsmgw), or ask the port itself: gsmgw modem probe PORT"
        )
    _check_present(current, name)
    expires_at = format_utc(current.clock.now() + dt.timedelta(seconds=timeout_s))
    with current.database.write() as tx:
        command_id = modems.ask(tx, name, kind, line, expires_at)
    row = _wait(current, command_id, timeout_s)
    if row is None or row["finished_at"] is None:
        raise exits.CommandError(_explain_silence(current, name, row, timeout_s))
    if row["error"]:
        raise exits.CommandError(f"modem {name}: {row['error']}")
    return str(row["answer"] or "")


def _check_present(current: session.Session, name: str) -> None:
    row = modems.get(current.database, name)
    if row is not None and row["state"] in _GONE:
        raise exits.CommandError(
            f"modem {name} is {row['state']}: {row['why'] or 'no reason known'}"
        )


def _wait(current: session.Session, command_id: int, timeout_s: float) -> display.Row | None:
    """Return the command once it is finished, or as it is when the time is over."""
    end = current.clock.monotonic() + timeout_s
    pause = threading.Event()
    while True:
        row = modems.get_command(current.database, command_id)
        if row is None or row["finished_at"] is not None or current.clock.monotonic() >= end:
            return row
        pause.wait(_LOOK_S)


def _explain_silence(
    current: session.Session, name: str, row: display.Row | None, timeout_s: float
) -> str:
    known = modems.get(current.database, name)
    state = known["state"] if known is not None else "unknown"
    if row is not None and row["started_at"]:
        return f"modem {name} has not answered within {timeout_s:g} s; it is {state}"
    return f"modem {name} has not come to it within {timeout_s:g} s; it is {state}"
