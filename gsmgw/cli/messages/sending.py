# SPDX-License-Identifier: Apache-2.0
"""`gsmgw send`: one message, or many from a CSV file, through the same intake as every door."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gsmgw import errors
from gsmgw.cli import command, display, exits, session, typed
from gsmgw.model import Category, Draft, MessageState, Priority

if TYPE_CHECKING:
    from gsmgw.cli.messages import csv_file

#: Rows that are committed together: one fsync for many, and others may write in between.
ROWS_AT_ONCE = 500
DEFAULT_SOURCE = "cli"


@click.command(
    cls=command.Command,
    epilog="""\
gsmgw send +48500100201 "Your appointment: Monday, 8:30."
gsmgw send 500100201 - --reference visit-4711 < reminder.txt
gsmgw send --csv reminders.csv --category survey
""",
)
@click.argument("recipient", required=False)
@click.argument("text", required=False)
@click.option(
    "--csv",
    "csv_path",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help=(
        "Send all messages of a CSV file (- for standard input); its first line names the columns."
    ),
)
@click.option("--encoding", metavar="NAME", help="How letters are written in the CSV file.")
@click.option(
    "--category", type=click.Choice([word.value for word in Category]), help="Default: care."
)
@click.option(
    "--priority", type=click.Choice([word.value for word in Priority]), help="Default: routine."
)
@click.option("--reference", metavar="ID", help="Your own id: sent once within its source.")
@click.option("--source", default=DEFAULT_SOURCE, show_default=True, help="Who sends.")
@click.option("--not-before", metavar="TIME", help='Send from then on: "2026-11-22 08:30".')
@click.option("--expires-at", metavar="TIME", help="Never send after that time.")
@click.option("--report", is_flag=True, help="Tell the source when the message has arrived.")
@click.option("--flash", is_flag=True, help="Show it at once on the phone, without storing it.")
@click.option("--modem", metavar="NAME", help="Send through this modem only.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document, not the id.")
@session.pass_session
def send(
    current: session.Session,
    /,
    recipient: str | None,
    text: str | None,
    csv_path: Path | None,
    encoding: str | None,
    as_json: bool,
    **given: Any,
) -> int:
    """Send TEXT to RECIPIENT and print the id of the message.

    RECIPIENT is a number with + and country code, a national number, or a short code. TEXT - is
    read from standard input. The daemon need not run: the message waits for it.

    Columns of a CSV file: recipient, text, reference, source, category, priority, not_before,
    expires_at, report_requested, flash, modem. What a row leaves empty is taken from the options.
    Rows that cannot be sent are named with their line, the others go on.
    """
    if csv_path is not None:
        if recipient is not None or given["reference"]:
            raise click.UsageError("--csv goes without RECIPIENT, TEXT and --reference")
        return _send_file(current, csv_path, encoding, as_json=as_json, given=given)
    if recipient is None or text is None:
        raise click.UsageError("RECIPIENT and TEXT are needed, or --csv FILE")
    if encoding:
        raise click.UsageError("--encoding goes with --csv")
    draft = Draft(
        recipient=recipient,
        text=typed.read_text(text),
        report_requested=given.pop("report"),
        **given,
    )
    return _send_one(current, draft, as_json=as_json)


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one draft; `as_json` is what programs read."""

    state: MessageState
    message_id: int | None = None
    repeat: bool = False
    parts: int = 0
    error_code: str | None = None
    error: str | None = None

    def as_json(self, draft: Draft | None) -> dict[str, object]:
        """Return it with the names of the database; `id` is null if nothing was recorded."""
        return {
            "id": self.message_id,
            "reference": draft.reference if draft else None,
            "recipient": draft.recipient if draft else None,
            "state": self.state,
            "repeat": self.repeat,
            "parts": self.parts,
            "error_code": self.error_code,
            "error": self.error,
        }

    @property
    def is_refused(self) -> bool:
        """Whether it will not be sent, and was not before."""
        return not self.repeat and self.state is not MessageState.QUEUED


class Door:
    """Hands drafts to intake, many in one commit."""

    def __init__(self, current: session.Session) -> None:
        from gsmgw.gateway import intake

        self._database = current.database
        self._intake = intake.Intake(current.config, current.database, current.clock)

    def accept(self, drafts: Sequence[Draft]) -> list[Sent]:
        """Accept what can be accepted; all of it is on disk when this returns.

        Raises:
            StoreError: nothing of it was written.
        """
        with self._database.write() as tx:
            return [self._accept(tx, draft) for draft in drafts]

    def _accept(self, tx: Any, draft: Draft) -> Sent:
        try:
            for name in ("recipient", "text", "source", "reference"):
                typed.check_utf8(getattr(draft, name) or "", name)
            accepted = self._intake.accept(tx, draft)
        except errors.RejectedError as error:
            return Sent(MessageState.REJECTED, error_code=error.reason, error=str(error))
        return Sent(
            accepted.state,
            accepted.message_id,
            accepted.repeat,
            accepted.parts,
            accepted.error_code,
            accepted.error,
        )


def _send_one(current: session.Session, draft: Draft, *, as_json: bool) -> int:
    (sent,) = Door(current).accept([draft])
    if as_json:
        display.print_json(sent.as_json(draft))
    elif sent.message_id is not None:
        click.echo(sent.message_id)
    if sent.repeat:
        exits.complain(
            f"gsmgw: reference {draft.reference} was known: it is message {sent.message_id},"
            f" {sent.state}; nothing new is sent"
        )
    if not sent.is_refused:
        return exits.OK
    why = display.localised(str(sent.error), current.zone)
    if sent.message_id is None:
        exits.complain(f"gsmgw: {why}")
    else:
        exits.complain(f"gsmgw: message {sent.message_id} is {sent.state}: {why}")
    return exits.DATA


# -- many ---------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Tally:
    """What became of the rows of a file so far."""

    results: list[dict[str, object]] = field(default_factory=list)
    accepted: int = 0
    repeated: int = 0
    rejected: int = 0
    parts: int = 0

    def add(self, row: csv_file.Row, sent: Sent) -> None:
        self.results.append({"line": row.line, **sent.as_json(row.draft)})
        self.repeated += sent.repeat
        self.rejected += sent.is_refused
        if not sent.repeat and not sent.is_refused:
            self.accepted += 1
            self.parts += sent.parts


def _send_file(
    current: session.Session,
    path: Path,
    encoding: str | None,
    *,
    as_json: bool,
    given: dict[str, Any],
) -> int:
    from gsmgw.cli.messages import csv_file

    if path == Path("-"):
        path = Path("/dev/stdin")
    table = csv_file.read(
        path, country=current.config.country, encoding=encoding, source=given["source"]
    )
    if table.encoding != "utf-8" and encoding is None:
        exits.complain(
            f"gsmgw: {path} is not UTF-8 and was read as {table.encoding};"
            " if letters are wrong: --encoding"
        )
    tally = _Tally()
    try:
        _accept_rows(Door(current), path, table.rows, given, tally)
    except (errors.StoreError, KeyboardInterrupt):
        _explain_stop(path, table.rows, tally)
        raise
    finally:
        _summarise(path, tally, as_json=as_json)
    return exits.DATA if tally.rejected else exits.OK


def _accept_rows(
    door: Door,
    path: Path,
    rows: Sequence[csv_file.Row],
    given: dict[str, Any],
    tally: _Tally,
) -> None:
    for batch in _with_progress(
        [rows[n : n + ROWS_AT_ONCE] for n in range(0, len(rows), ROWS_AT_ONCE)]
    ):
        drafts = [_complete(row.draft, given) for row in batch if row.draft is not None]
        outcomes = iter(door.accept(drafts))
        for row in batch:
            if row.draft is None:
                sent = Sent(MessageState.REJECTED, error_code="bad-file", error=row.error)
            else:
                sent = next(outcomes)
            tally.add(row, sent)
            if sent.is_refused:
                kept = "" if sent.message_id is None else f"message {sent.message_id}: "
                exits.complain(f"{path}, {_lines(row)}: {kept}{sent.error}")


def _complete(draft: Draft, given: dict[str, Any]) -> Draft:
    """Fill what a row leaves open from the command's options."""
    from dataclasses import replace

    names = ("category", "priority", "not_before", "expires_at", "modem")
    return replace(
        draft,
        report_requested=draft.report_requested or given["report"],
        flash=draft.flash or given["flash"],
        **{name: getattr(draft, name) or given[name] for name in names},
    )


def _lines(row: csv_file.Row) -> str:
    return f"line {row.line}" if row.last_line <= row.line else f"lines {row.line}-{row.last_line}"


def _with_progress(
    batches: list[Sequence[csv_file.Row]],
) -> Iterator[Sequence[csv_file.Row]]:
    """Yield the batches; on a terminal a bar shows how many rows are done."""
    if not _is_terminal():
        yield from batches
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    bar = Progress(
        BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), console=Console(stderr=True)
    )
    with bar:
        task = bar.add_task("rows", total=sum(map(len, batches)))
        for batch in batches:
            yield batch
            bar.advance(task, len(batch))


def _is_terminal() -> bool:
    return sys.stderr.isatty()


def _explain_stop(path: Path, rows: Sequence[csv_file.Row], tally: _Tally) -> None:
    done = len(tally.results)
    if done < len(rows):
        exits.complain(
            f"{path}: stopped; from line {rows[done].line} on nothing was accepted. Rows with a"
            " reference can be given again without being sent twice"
        )


def _summarise(path: Path, tally: _Tally, *, as_json: bool) -> None:
    if as_json:
        display.print_json(
            {
                "file": str(path),
                "accepted": tally.accepted,
                "repeated": tally.repeated,
                "rejected": tally.rejected,
                "parts": tally.parts,
                "messages": tally.results,
            }
        )
        return
    click.echo(
        f"{tally.accepted} accepted ({tally.parts} parts), {tally.repeated} known before,"
        f" {tally.rejected} refused"
    )
