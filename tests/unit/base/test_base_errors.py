# SPDX-License-Identifier: Apache-2.0
"""The tree of errors."""

import inspect
import re

import pytest

from gsmgw import errors

CLASSES = [
    found
    for _, found in inspect.getmembers(errors, inspect.isclass)
    if found.__module__ == errors.__name__
]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_error_has_one_root_and_stands_in_the_tree_of_the_docstring(kind):
    assert issubclass(kind, errors.GsmgwError)
    assert kind.__name__ in (errors.__doc__ or "")


@pytest.mark.parametrize(
    "kind", [kind for kind in CLASSES if kind is not errors.CommandFailedError]
)
def test_every_error_says_what_it_was_told(kind):
    assert str(kind("the words")) == "the words"


def test_without_words_an_error_says_what_it_is():
    assert str(errors.StoreFullError()) == "The disk is full; nothing was written."


def test_rejections_have_reasons_of_their_own():
    reasons = [kind.reason for kind in CLASSES if issubclass(kind, errors.RejectedError)]
    assert len(reasons) == len(set(reasons))
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", reason) for reason in reasons)


def test_config_error_keeps_every_problem():
    assert errors.ConfigError("one").problems == ("one",)
    assert errors.ConfigError("both", ("one", "two")).problems == ("one", "two")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (errors.CommandFailedError("AT+CPIN?"), "AT+CPIN? answered ERROR"),
        (errors.CommandFailedError("AT+CPIN?", "CME", 10), "AT+CPIN? answered CME 10"),
        (errors.CommandFailedError("AT+CMGS", "CMS", 0), "AT+CMGS answered CMS 0"),
    ],
)
def test_failed_commands_name_command_and_code(error, words):
    assert str(error) == words
