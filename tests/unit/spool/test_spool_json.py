# SPDX-License-Identifier: Apache-2.0
"""JSON files: every key, every mistake, each element by itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gsmgw.errors import BadFileError
from gsmgw.model import Draft
from gsmgw.spool.formats import json_format
from gsmgw.spool.formats.json_format import Element

GOOD = {"recipient": "+48500100201", "text": "Zażółć 👍"}


def parse(document: Any) -> list[Element]:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return json_format.parse(content, source="reception", spool_file="X")


def error(**keys: Any) -> str:
    (element,) = parse({**GOOD, **keys})
    assert element.draft is None
    return str(element.error)


def test_one_object_with_nothing_but_what_is_needed() -> None:
    (element,) = parse(GOOD)
    draft = Draft("+48500100201", "Zażółć 👍", "reception", spool_file="X")
    assert element == Element(0, draft, None, None, "+48500100201")


def test_every_key() -> None:
    keys = {
        "source": "his",
        "reference": "A-17",
        "category": "survey",
        "priority": "stat",
        "not_before": "2026-11-24 08:00",
        "expires_at": "2026-11-24T18:00:00+01:00",
        "modem": "front",
        "report_requested": True,
        "flash": True,
    }
    (element,) = parse(b"\xef\xbb\xbf " + json.dumps({**GOOD, **keys}).encode())
    assert element.draft == Draft(**GOOD, **keys, spool_file="X")  # type: ignore[arg-type]
    assert element.reference == "A-17"


def test_null_and_empty_mean_absent() -> None:
    (element,) = parse({**GOOD, "reference": None, "category": "", "flash": None, "source": ""})
    assert element.draft == Draft("+48500100201", "Zażółć 👍", "reception", spool_file="X")


def test_a_number_as_reference_is_taken() -> None:
    (element,) = parse({**GOOD, "reference": 17})
    assert element.draft is not None
    assert element.draft.reference == "17"


def test_one_bad_element_does_not_stop_the_others() -> None:
    elements = parse([GOOD, 5, {**GOOD, "reference": "r", "text": ""}, [GOOD], GOOD])
    assert [item.position for item in elements] == [0, 1, 2, 3, 4]
    assert [item.draft is not None for item in elements] == [True, False, False, False, True]
    assert elements[1].error == "found 5; allowed is an object"
    assert elements[3].error == "found a list; allowed is an object"
    assert (elements[2].reference, elements[2].recipient) == ("r", "+48500100201")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"recipient": None}, "key recipient is missing or empty"),
        ({"text": ""}, "key text is missing or empty"),
        ({"recipient": 48500100201}, "recipient: found 48500100201; allowed: a string in quotes"),
        ({"flash": "yes"}, 'flash: found "yes"; allowed: true and false'),
        ({"report_requested": 1}, "report_requested: found 1; allowed: true and false"),
        ({"category": "ads"}, 'category: found "ads"; allowed: staff, care, survey, marketing'),
        ({"priority": "HIGH"}, 'priority: found "HIGH"; allowed: stat, asap, urgent, routine'),
        ({"modem": ["front"]}, "modem: found a list; allowed: a string in quotes"),
        ({"source": {}}, "source: found an object; allowed: a string in quotes"),
        ({"reference": True}, "reference: found true; allowed: a string in quotes"),
        ({"text": "a\x00"}, "without NUL and without half characters"),
        ({"text": "\ud83d"}, "without NUL and without half characters"),
        (
            {"recipent": "x"},
            'unknown key "recipent" (did you mean recipient?); allowed: recipient',
        ),
        ({"zzz": "x"}, 'unknown key "zzz"; allowed: recipient, text, reference, source'),
        ({"not_before": "x" * 60, "flash": "x" * 60}, 'x…"; allowed: true and false'),
    ],
)
def test_mistakes_are_named(keys: dict[str, Any], words: str) -> None:
    assert words in error(**keys)


def test_all_mistakes_of_an_element_at_once() -> None:
    found = error(text=None, flash=2, zz=1)
    assert found.count(";") >= 3
    assert "flash" in found
    assert "zz" in found
    assert "key text is missing" in found


def test_a_key_twice() -> None:
    (element,) = parse(b'{"recipient": "1", "text": "a", "text": "b"}')
    assert element.error == 'key "text" stands there twice'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "the file is no JSON: Expecting property name"),
        (b'[{"a": 1}', "line 1, column 10"),
        (b'{"text": "caf\xe9"}', "the file is no UTF-8 (octet 14)"),
        (b"[]", "the list is empty"),
        (b"5", "found 5; allowed is one object or a list of objects"),
        (b"[" * 200_000, "nested too deeply"),
        (b"[" + b"9" * 5000 + b"]", "a number in the file has thousands of digits"),
    ],
)
def test_a_file_that_is_no_list_of_messages(content: bytes, words: str) -> None:
    with pytest.raises(BadFileError, match=r".") as caught:
        parse(content)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("content", "is_json"),
    [
        (b"{}", True),
        (b"\xef\xbb\xbf\r\n [", True),
        (b"To: 1\n\n{}", False),
        (b"", False),
        (b"\n\n\x00[", False),
    ],
)
def test_json_is_known_by_its_content(content: bytes, *, is_json: bool) -> None:
    assert json_format.is_json(content) is is_json


def test_documents_are_utf_8_even_with_half_characters() -> None:
    assert json_format.format_document({"a": "ż\ud83d"}) == '{\n "a": "ż?"\n}\n'.encode()
