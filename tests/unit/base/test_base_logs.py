# SPDX-License-Identifier: Apache-2.0
"""The log: what a line looks like, what it never shows, how repeats are counted."""

import datetime as dt
import fcntl
import io
import logging
import os
import re
import threading

import pytest
from base_support import HandClock
from hypothesis import given
from hypothesis import strategies as st

from gsmgw import log_line, logs, repeats
from gsmgw.model import Category, LogLevel, ModemState

log = logs.get("test")


@pytest.fixture(autouse=True)
def _default_output():
    root = logging.getLogger()
    handlers = list(root.handlers)
    yield
    logs.configure()
    root.handlers[:] = handlers


@pytest.fixture
def time():
    return HandClock()


@pytest.fixture
def written(time):
    stream = io.StringIO()
    logs.configure(level="debug", stream=stream, time=time)
    return stream


def test_a_line_is_level_event_and_fields_in_order(written):
    log.info("modem.state", modem="front", state=ModemState.READY, signal=-73, took=0.25)
    assert written.getvalue() == "info modem.state modem=front state=ready signal=-73 took=0.25\n"


@pytest.mark.parametrize("level", ["error", "warning", "info", "debug"])
def test_each_level_writes_itself_and_what_is_more_important(level):
    stream = io.StringIO()
    logs.configure(level=level, stream=stream)
    for name in ("error", "warning", "info", "debug"):
        getattr(log, name)("some.event")
    names = ["error", "warning", "info", "debug"]
    assert [line.split()[0] for line in stream.getvalue().splitlines()] == names[
        : names.index(level) + 1
    ]


def test_unknown_level_is_refused():
    with pytest.raises(KeyError):
        logs.configure(level="loud")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("plain", "plain"),
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
        ("zażółć", "zażółć"),
        ("", '""'),
        ("two words", '"two words"'),
        ("a=b", '"a=b"'),
        ('say "hi"', '"say \\"hi\\""'),
        ("it's", '"it\'s"'),
        ("back\\slash", '"back\\\\slash"'),
        ("one\ntwo\r\n", '"one\\ntwo\\r\\n"'),
        ("\x1b[2J", '"\\x1b[2J"'),
        ("\x9b31m", '"\\x9b31m"'),
        ("\u202egnp.exe", '"\\u202egnp.exe"'),
        ("a\u2066b\u2069", '"a\\u2066b\\u2069"'),
        ("line\u2028sep", '"line\\u2028sep"'),
        ("\ud83d", '"\\ud83d"'),
        ("\U000e0041", '"\\U000e0041"'),
        (True, "yes"),
        (False, "no"),
        (1.0, "1"),
        (0.1 + 0.2, "0.3"),
        (Category.CARE, "care"),
        (LogLevel.DEBUG, "7"),
        (dt.datetime(2026, 11, 22, 7, 0, tzinfo=dt.UTC), "2026-11-22T07:00:00.000Z"),
        (("front", "back"), "\"('front', 'back')\""),
        (ValueError("no\nway"), '"no\\nway"'),
    ],
)
def test_values_cannot_forge_lines_or_steer_terminals(written, value, shown):
    log.info("some.event", value=value)
    assert written.getvalue() == f"info some.event value={shown}\n"


@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.text(), max_size=4))
def test_any_text_stays_on_one_line_and_can_be_told_apart(fields):
    line = logs.format_line(LogLevel.INFO, "some.event", fields)
    assert line.isprintable()
    found = re.findall(r' ([a-z]+)=("(?:[^"\\]|\\.)*"|[^ "]+)', line)
    assert [name for name, _ in found] == list(fields)


def test_a_value_that_cannot_be_shown_is_named_by_its_kind(written):
    class Sulky:
        def __str__(self):
            raise ValueError("no")

    log.info("some.event", value=Sulky())
    assert written.getvalue() == "info some.event value=<Sulky>\n"


def test_long_values_are_cut(written):
    log.info("some.event", value="x" * 10_000)
    assert len(written.getvalue()) < log_line.LONGEST_VALUE + 100
    assert written.getvalue().endswith("…\n")


def test_fields_may_have_any_name(written):
    log.info("some.event", event="a", self="b")
    assert written.getvalue() == "info some.event event=a self=b\n"


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("+48601234567", "+48601***567"),
        ("+447700900123", "+44770***123"),
        ("+12125550123", "+1212***123"),
        ("+420601234567", "+420601***567"),
        ("601234567", "601***567"),
        ("12345678", "***78"),
        ("+4812345", "***45"),
        ("7", "***7"),
        ("Pharmacy", "P***"),
        ("", "-"),
        (None, "-"),
    ],
)
def test_numbers_are_masked(number, shown):
    assert logs.number(number) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Twoja wizyta jutro", "<18 chars>"),
        ("a", "<1 char>"),
        ("", "<0 chars>"),
        (None, "<0 chars>"),
    ],
)
def test_texts_never_appear(text, shown):
    assert logs.text(text) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("to +48500100201 failed", "to +48500***201 failed"),
        ("to 500 100 201, twice", "to 500***201, twice"),
        ("(500-100-201)", "(500***201)"),
        ("'48500100201' is no number", "'485***201' is no number"),
        ("tel:+48500100201", "tel:+48500***201"),
        ("x48500100201y", "x485***201y"),
        ("500.100.201", "500***201"),
        ("500\u00a0100\u2011201", "500***201"),
        ("at 2026-11-22T07:15:10.123Z, 07:15", "at 2026-11-22T07:15:10.123Z, 07:15"),
        ("at 2026-11-22 07:15:10 code 500", "at 2026-11-22 07:15:10 code 500"),
        ("+CMS ERROR: 500 after 12.5 s", "+CMS ERROR: 500 after 12.5 s"),
        ("/dev/ttyUSB0", "/dev/ttyUSB0"),
    ],
)
def test_numbers_within_words_are_masked_and_nothing_else(words, shown):
    assert logs.masked(words) == shown


def test_private_logs_show_everything():
    logs.configure(private=True, stream=io.StringIO())
    assert logs.number("+48500100201") == "+48500100201"
    assert logs.text("Twoja wizyta") == "Twoja wizyta"
    assert logs.masked("to +48500100201") == "to +48500100201"


def test_repeated_trouble_is_one_line_and_a_count(written, time):
    for _ in range(18):
        log.warning("modem.lost", modem="front")
        time.move(1)
    time.move(60)
    log.warning("modem.lost", modem="front")
    assert written.getvalue().splitlines() == [
        "warning modem.lost modem=front",
        "warning modem.lost modem=front repeated=17",
    ]


def test_after_a_quiet_quarter_of_an_hour_it_is_news_again(written, time):
    for _ in range(3):
        log.error("modem.lost", modem="front")
        time.move(901)
    assert written.getvalue() == "error modem.lost modem=front\n" * 3


def test_trouble_that_goes_on_is_told_ever_more_rarely(written, time):
    for _ in range(24 * 60):
        log.warning("modem.lost", modem="front")
        time.move(60)
        logs.tell()
    lines = written.getvalue().splitlines()
    assert len(lines) < 30
    assert lines[-1] == "warning modem.lost modem=front repeated=59"


def test_the_last_one_held_back_is_told_when_its_time_is_over(written, time):
    log.warning("message.failed", key=("code",), id=1, code="cms:1")
    log.warning("message.failed", key=("code",), id=2, code="cms:1")
    log.warning("message.failed", key=("code",), id=3, code="cms:1")
    logs.tell()
    time.move(60)
    logs.tell()
    logs.tell()
    assert written.getvalue().splitlines() == [
        "warning message.failed id=1 code=cms:1",
        "warning message.failed id=3 code=cms:1 repeated=1",
    ]


def test_at_the_end_nothing_is_held_back(written):
    for number in (1, 2):
        log.warning("message.failed", key=(), id=number)
    logs.tell(at_once=True)
    assert written.getvalue().splitlines()[1:] == ["warning message.failed id=2"]


def test_everyday_traffic_is_a_few_lines_and_a_count(time):
    stream = io.StringIO()
    logs.configure(stream=stream, time=time, every_message=False)
    for number in range(40):
        log.info("part.sent", routine="sent", id=number)
        log.info("sms.received", routine="received", inbox=number)
    time.move(3600)
    logs.tell()
    logs.tell()
    lines = stream.getvalue().splitlines()
    assert lines[:2] == ["info part.sent id=0", "info sms.received inbox=0"]
    assert len(lines) == 2 * repeats.LINES + 1
    assert lines[-1] == 'info traffic.counted minutes=60 counts="40 sent, 40 received"'


def test_after_a_quiet_night_the_first_lines_are_written_again(time):
    stream = io.StringIO()
    logs.configure(stream=stream, time=time, every_message=False)
    for hour, written in ((0, 3), (0.9, 0), (1, 3), (12, 3)):
        stream.truncate(0)
        time.move(3600 * hour)
        logs.tell()
        for number in range(20):
            log.info("part.sent", routine="sent", id=number)
        assert stream.getvalue().count("part.sent") == written


def test_little_traffic_is_written_as_it_comes_and_not_counted(time):
    stream = io.StringIO()
    logs.configure(stream=stream, time=time, every_message=False)
    for _ in range(5):
        log.info("part.sent", routine="sent", id=1)
        time.move(3600)
        logs.tell(at_once=True)
    assert stream.getvalue() == "info part.sent id=1\n" * 5


@pytest.mark.parametrize("how", [{"every_message": True}, {"level": "debug"}])
def test_every_message_can_be_asked_for(time, how):
    stream = io.StringIO()
    logs.configure(stream=stream, time=time, **{"every_message": False, **how})
    for _ in range(50):
        log.info("part.sent", routine="sent")
    logs.tell(at_once=True)
    assert stream.getvalue() == "info part.sent\n" * 50


def test_other_trouble_is_written_at_once(written):
    log.warning("modem.lost", modem="front")
    log.warning("modem.lost", modem="back")
    log.warning("modem.silent", modem="front")
    assert len(written.getvalue().splitlines()) == 3


def test_key_names_what_makes_trouble_the_same(written, time):
    for count in range(5):
        log.warning("spool.unreadable", key=("file",), file="a.txt", seconds=count)
    time.move(61)
    log.warning("spool.unreadable", key=("file",), file="a.txt", seconds=99)
    assert written.getvalue().splitlines() == [
        "warning spool.unreadable file=a.txt seconds=0",
        "warning spool.unreadable file=a.txt seconds=99 repeated=4",
    ]


def test_info_is_counted_only_where_asked(written):
    for _ in range(3):
        log.info("part.sent", part=1)
        log.info("signal.weak", limit=True, modem="front")
        log.debug("at.line", line="OK")
    lines = written.getvalue().splitlines()
    assert lines.count("info part.sent part=1") == 3
    assert lines.count("info signal.weak modem=front") == 1
    assert lines.count("debug at.line line=OK") == 3


def test_a_warning_can_be_exempt(written):
    for _ in range(3):
        log.warning("part.uncertain", limit=False, part=1)
    assert len(written.getvalue().splitlines()) == 3


def test_memory_of_troubles_is_bounded(written, time):
    for count in range(repeats.MEMORY * 2):
        log.warning("some.event", value=count)
    assert len(logs._output.troubles) == repeats.MEMORY


def test_journal_lines_carry_their_level(tmp_path, monkeypatch):
    path = tmp_path / "journal"
    with path.open("w", encoding="utf-8") as stream:
        status = os.fstat(stream.fileno())
        monkeypatch.setenv("JOURNAL_STREAM", f"{status.st_dev}:{status.st_ino}")
        logs.configure(level="debug", stream=stream)
        for name in ("error", "warning", "info", "debug"):
            getattr(log, name)("some.event")
    assert [line[:3] for line in path.read_text().splitlines()] == ["<3>", "<4>", "<6>", "<7>"]
    assert path.read_text().startswith("<3>error some.event\n")


@pytest.mark.parametrize("stream_id", ["", "1:2", "nonsense"])
def test_without_journal_there_is_no_prefix(tmp_path, monkeypatch, stream_id):
    monkeypatch.setenv("JOURNAL_STREAM", stream_id)
    path = tmp_path / "log"
    with path.open("w") as stream:
        logs.configure(stream=stream)
        log.info("some.event")
    assert path.read_text() == "info some.event\n"


def test_a_stream_without_descriptor_is_no_journal(monkeypatch):
    monkeypatch.setenv("JOURNAL_STREAM", "1:2")
    stream = io.StringIO()
    logs.configure(stream=stream)
    log.info("some.event")
    assert stream.getvalue() == "info some.event\n"


def test_stderr_is_looked_up_when_it_is_written_to(capsys):
    logs.configure()
    log.info("some.event", value=1)
    assert capsys.readouterr().err == "info some.event value=1\n"


def test_a_broken_stream_is_no_trouble():
    stream = io.StringIO()
    logs.configure(stream=stream)
    stream.close()
    log.error("some.event")


def test_a_pipe_that_nobody_reads_holds_nobody_up(monkeypatch):
    monkeypatch.setattr(logs, "_PATIENCE_MS", 10)
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb", buffering=0) as pipe, os.fdopen(writer, "w") as stream:
        fcntl.fcntl(stream, fcntl.F_SETPIPE_SZ, 4096)
        logs.configure(stream=stream)
        for number in range(500):
            log.info("some.event", number=number)
        logs.tell()  # this one is not taken either
        taken = pipe.read(4096).decode().splitlines()
        logs.tell()
        (told,) = pipe.read(4096).decode().splitlines()
        log.info("some.event", number=500)
        assert pipe.read(4096) == b"info some.event number=500\n"
    assert taken == [f"info some.event number={number}" for number in range(len(taken))]
    assert told == f"warning log.dropped lines={500 - len(taken)}"


def test_letters_that_the_stream_cannot_hold_are_escaped(tmp_path):
    path = tmp_path / "log"
    with path.open("w", encoding="ascii") as stream:
        logs.configure(stream=stream)
        log.info("some.event", value="łódź")
    assert path.read_text() == "info some.event value=\\u0142\\xf3d\\u017a\n"


def test_libraries_are_heard_from_warning_on_and_masked(written):
    library = logging.getLogger("some.library")
    library.info("not this")
    library.warning("calling %s", "+48500100201")
    assert written.getvalue().splitlines() == [
        'warning library.message library=some.library words="calling +48500***201"',
    ]


def test_what_libraries_log_wrongly_is_shown_as_it_is(written):
    record = logging.LogRecord("some.library", logging.ERROR, "x.py", 1, "bad %d", ("word",), None)
    logs._FromLibraries().emit(record)
    assert written.getvalue() == ('error library.message library=some.library words="bad %d"\n')


def test_configuring_twice_listens_once(written):
    logs.configure(stream=written)
    logging.getLogger("some.library").warning("once")
    assert len(written.getvalue().splitlines()) == 1


def test_capture_holds_records_of_all_levels_and_threads():
    logs.configure(level="error", stream=io.StringIO())
    with logs.capture() as records:
        log.debug("at.line", line="OK")
        thread = threading.Thread(
            target=log.warning, args=("modem.lost",), kwargs={"modem": "front"}
        )
        thread.start()
        thread.join()
    log.warning("too.late")
    assert records == [
        logs.Record(LogLevel.DEBUG, "test", "at.line", {"line": "OK"}),
        logs.Record(LogLevel.WARNING, "test", "modem.lost", {"modem": "front"}),
    ]


def test_captures_do_not_disturb_each_other():
    with logs.capture() as outer:
        log.warning("one.event")
        with logs.capture() as inner:
            log.warning("one.event")
        log.warning("one.event")
    assert (len(outer), len(inner)) == (3, 1)


def test_debug_that_is_off_formats_nothing():
    class Bomb:
        def __str__(self):
            raise AssertionError("formatted in vain")

    logs.configure(level="info", stream=io.StringIO())
    log.debug("some.event", value=Bomb())
    log.info("some.event", value=1)


def test_lines_of_many_threads_do_not_mix(written):
    def chatter(name):
        for count in range(200):
            log.info("some.event", thread=name, count=count)

    threads = [threading.Thread(target=chatter, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = written.getvalue().splitlines()
    assert len(lines) == 800
    assert all(re.fullmatch(r"info some\.event thread=[abcd] count=\d+", line) for line in lines)


def test_a_field_without_a_value_is_left_out() -> None:
    line = logs.format_line(LogLevel.INFO, "part.sent", {"id": 1, "proof": None, "why": ""})
    assert line == 'info part.sent id=1 why=""'


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("recipient 'Anna Kowalska' is no number", "recipient '<13 chars>' is no number"),
        ('category "x" is unknown', 'category "<1 char>" is unknown'),
        ("the clinic's number isn't there", "the clinic's number isn't there"),
        ("to 'Jan, +48500100201'", "to '<17 chars>'"),
    ],
)
def test_what_an_error_quotes_is_hidden(words: str, shown: str) -> None:
    assert logs.masked(words) == shown
