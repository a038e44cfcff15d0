# SPDX-License-Identifier: Apache-2.0
"""What should not lie in a spool: names, kinds and contents that try to do harm or to hold up."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from site_support import Site, check_log, site

SCENARIO = {
    "modems": [{"name": "front"}, {"name": "back"}],
    "network": {"delivery": "0s", "report": "0s"},
}
#: A longer file is not read.
LONGEST = 1024 * 1024
#: Names as octets; no two messages of one test have the same text.
NAMES = [
    b"with blanks and  two",
    b"quo\"te's",
    b"line\nend",
    b"$(touch pwned)",
    b"`touch pwned`; touch pwned & touch pwned",
    b"-rf",
    b"a..b",
    b"--help",
    b"*",
    b"%s%n{0}",
    b"\\x41\\",
    b"\xff\xfe not utf-8",
    b"\x1b[31mred\x07",
    "zażółć 👍".encode(),
    "\u202egnp.exe".encode(),
    b"n" * 255,
    b"\xc4\x85" * 127,
    b"48500100299 to you",
    b"semi;colon|pipe>out",
    b"#hash",
    b"X.1",
    b"sent",
    b"' OR 1=1; DROP TABLE outbox; --",
]


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("hostile")
    handler = ["/bin/sh", "-c", "true", "handler"]
    hooks = {"hooks": {"event": handler}}
    patient = {"result_timeout": "60s"}  # nothing here waits for it
    with site(folder / "box", SCENARIO, settings=hooks, modem=patient) as running:
        yield running
        assert running.stop() == 0
        check_log(running)
        assert not [path for path in folder.rglob("*") if path.name == "pwned"]
        assert running.lines("service.failed") == []
        assert running.lines("spool.stumbled") == []


def put(box: Site, name: bytes, content: bytes) -> None:
    """Rename a file into outgoing under a name of any octets."""
    aside = box.folder / "aside"
    aside.write_bytes(content)
    aside.rename(place(box, "outgoing", name))


def place(box: Site, folder: str, name: bytes) -> Path:
    return box.spool / folder / os.fsdecode(name)


def go_on(box: Site, number: str) -> None:
    """Make sure that what comes later is sent."""
    name = f"after-{number}"
    box.drop(name, f"To: {number[1:]}\n\nthe rest goes on\n")
    box.until(lambda: box.content("sent", name))
    box.until(lambda: box.phone(number) == ["the rest goes on"])


def test_names_of_any_octets_are_sent_and_nothing_is_executed(box: Site) -> None:
    for index, name in enumerate(NAMES):
        put(box, name, b"To: 485001002%02d\n\nname %d\n" % (index, index))
    for name in NAMES:
        box.until(lambda name=name: place(box, "sent", name).exists())
    for index in range(len(NAMES)):
        box.until(lambda index=index: box.phone(f"+485001002{index:02d}") == [f"name {index}"])
    # a file stands in sent/ a moment before it is gone from checked/: never in neither
    box.until(lambda: list((box.spool / "checked").iterdir()) == [])
    raw = box.log_path.read_bytes()
    assert b"\x1b" not in raw
    assert b"\x07" not in raw
    assert "\u202e".encode() not in raw
    assert b"48500100299" not in raw
    assert all(line.split(" ", 1)[0] in ("info", "warning") for line in box.log.splitlines())
    # the same names again: nothing is overwritten
    for index, name in enumerate(NAMES):
        put(box, name, b"To: 485001003%02d\n\nagain %d\n" % (index, index))
    for index in range(len(NAMES)):
        box.until(lambda index=index: box.phone(f"+485001003{index:02d}") == [f"again {index}"])
    box.until(lambda: list((box.spool / "checked").iterdir()) == [])
    for index, name in enumerate(NAMES):
        assert f"name {index}".encode() in place(box, "sent", name).read_bytes()


def test_hidden_and_unfinished_names_are_left_alone(box: Site) -> None:
    names = (b"...", b".hidden", b"X.tmp", b"X.part", b"X.LOCK", b"LOCKED-X", b"x.result.json")
    for name in names:
        put(box, name, b"To: 48500100401\n\nnot yet\n")
    go_on(box, "+48500100402")
    for name in names:
        assert place(box, "outgoing", name).exists()
        place(box, "outgoing", name).unlink()
    assert box.phone("+48500100401") == []


def test_what_is_no_file_stays_and_is_named_once(box: Site) -> None:
    outgoing = box.spool / "outgoing"
    secret = box.folder / "secret"
    secret.write_text("To: 48500100411\n\nroot:x:0:0\n")
    (outgoing / "link").symlink_to(secret)
    (outgoing / "dangling").symlink_to(box.folder / "nowhere")
    (outgoing / "loop").symlink_to(outgoing / "loop")
    os.mkfifo(outgoing / "fifo")
    (outgoing / "folder").mkdir()
    (outgoing / "folder" / "inside").write_text("To: 48500100411\n\ninside\n")
    descriptor = os.open(outgoing, os.O_PATH)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{descriptor}/socket")  # the names of sockets must be short
    os.close(descriptor)
    kinds = {
        **dict.fromkeys(("link", "dangling", "loop"), "a symbolic link"),
        "fifo": "a FIFO",
        "socket": "a socket",
    }
    if os.geteuid() == 0:
        try:
            os.mknod(outgoing / "device", 0o600 | 0o020000, os.makedev(1, 3))
            kinds["device"] = "a device"
        except PermissionError:
            pass  # containers forbid it
    go_on(box, "+48500100412")
    for name, kind in kinds.items():
        box.until(lambda name=name: box.lines("spool.ignored", f"file={name} "))
        (line,) = box.lines("spool.ignored", f"file={name} ")
        assert line == f'warning spool.ignored file={name} why="it is {kind}, not a file"'
    assert box.lines("file=folder") == []
    assert all(os.path.lexists(outgoing / name) for name in [*kinds, "folder"])
    assert box.phone("+48500100411") == []
    assert secret.read_text().endswith("root:x:0:0\n")
    for name in kinds:
        (outgoing / name).unlink()


def test_contents_that_are_no_message_are_refused_with_a_reason(box: Site) -> None:
    many = b'[{"recipient": "+48500100421", "text": "x"}' + b" " * 2_000_000 + b"]"
    cases = {
        b"seven-and-more": (b"nothing\n\n\n", "No destination"),
        b"nul-text": (b"To: 48500100421\n\na\x00b\n", "Invalid character (NUL)"),
        b"only-nuls": (bytes(4096), "No destination"),
        b"large": (b"To: 48500100421\n\n" + b"x" * 2_000_000, "longer than"),
        b"large.json": (many, "longer than"),
        b"random": (bytes(range(256)) * 16, "No destination"),
        b"broken.json": (b'{"recipient": "+48500100421", "text": ', "JSON"),
        b"deep.json": (b"[" * 100_000, "nested too deeply"),
        b"include": (b"To: 48500100421\nInclude: /etc/passwd\n\n\n", "Include is not allowed"),
        b"number": (b"To: 48500100421; touch pwned\n\nx\n", None),
        b"headers": (b"To: 48500100422\n" + b"X-Y: z\n" * 5000 + b"\nmany headers\n", None),
    }
    for name, (content, _) in cases.items():
        put(box, name, content)
    for name, (_, reason) in cases.items():
        if reason is None:
            box.until(lambda name=name: place(box, "sent", name).exists())
            continue
        box.until(lambda name=name: place(box, "failed", name).exists())
        content = place(box, "failed", name).read_bytes()
        box.until(lambda name=name: box.lines("spool.rejected", f"file={name.decode()} "))
        (line,) = box.lines("spool.rejected", f"file={name.decode()} ")
        assert reason in line
        if content[:1] in b"[{":
            box.until(lambda name=name: place(box, "failed", name + b".result.json").exists())
            assert reason in box.result(name.decode(), "failed")["messages"][0]["error"]
        elif len(content) <= LONGEST:
            assert f"Fail_reason: {reason}".encode() in content
    assert place(box, "sent", b"number").exists()
    box.until(lambda: box.phone("+48500100421") == ["x"])
    go_on(box, "+48500100423")
    assert "passwd" not in box.log


def test_empty_and_short_files_stay(box: Site) -> None:
    put(box, b"empty", b"")
    put(box, b"short", b"To: 1\n\n")
    go_on(box, "+48500100431")
    for name in (b"empty", b"short"):
        assert place(box, "outgoing", name).exists()
        place(box, "outgoing", name).unlink()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_we_may_not_read_stays_and_is_named_once(box: Site) -> None:
    aside = box.folder / "unreadable"
    aside.write_text("To: 48500100441\n\nmine\n")
    aside.chmod(0)
    aside.rename(box.spool / "outgoing" / "unreadable")
    go_on(box, "+48500100442")
    box.until(lambda: box.lines("spool.unreadable"))
    (line,) = box.lines("spool.unreadable")
    assert "file=unreadable" in line
    assert "mode 0" in line
    assert "Permission denied" in line
    (box.spool / "outgoing" / "unreadable").chmod(0o660)
    box.until(lambda: box.content("sent", "unreadable"))
