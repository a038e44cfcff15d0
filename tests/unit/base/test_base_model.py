# SPDX-License-Identifier: Apache-2.0
"""States and the rule that derives a message's state from its parts."""

import dataclasses
import enum
import inspect
import itertools

import pytest

from gsmgw import model
from gsmgw.model import MessageState, PartState

P = PartState


@pytest.mark.parametrize(
    ("parts", "state"),
    [
        ([P.WAITING], MessageState.QUEUED),
        ([P.WAITING, P.WAITING], MessageState.QUEUED),
        ([P.SENDING], MessageState.SENDING),
        ([P.SENT, P.WAITING], MessageState.SENDING),
        ([P.DELIVERED, P.SENDING], MessageState.SENDING),
        ([P.SENT, P.SENT], MessageState.SENT),
        ([P.SENT, P.DELIVERED], MessageState.SENT),
        ([P.SENT, P.UNDELIVERED], MessageState.SENT),
        ([P.DELIVERED, P.DELIVERED], MessageState.DELIVERED),
        ([P.DELIVERED, P.UNDELIVERED], MessageState.UNDELIVERED),
        ([P.UNDELIVERED], MessageState.UNDELIVERED),
        ([P.FAILED, P.WAITING], MessageState.FAILED),
        ([P.FAILED, P.DELIVERED], MessageState.FAILED),
        ([P.UNCERTAIN, P.FAILED], MessageState.UNCERTAIN),
        ([P.UNCERTAIN, P.WAITING], MessageState.UNCERTAIN),
    ],
)
def test_message_state_follows_from_parts(parts, state):
    for order in itertools.permutations(parts):
        assert model.message_state(order) is state


def test_every_mixture_of_parts_has_a_state():
    for length in range(1, 4):
        for parts in itertools.product(PartState, repeat=length):
            assert model.message_state(parts) in MessageState


@pytest.mark.parametrize("kind", [model.Category, model.Priority])
def test_ranks_are_the_order_of_sending(kind):
    assert [member.rank for member in kind] == list(range(len(kind)))


def test_a_one_time_code_overtakes_a_campaign():
    assert model.Priority.STAT.rank < model.Priority.ROUTINE.rank
    assert model.Category.CARE.rank < model.Category.MARKETING.rank


def test_levels_are_syslogs():
    assert [level.value for level in model.LogLevel] == [3, 4, 6, 7]


def test_records_are_frozen_and_words_are_lower_case():
    for name, kind in inspect.getmembers(model, inspect.isclass):
        if kind.__module__ != model.__name__:
            continue
        if issubclass(kind, enum.StrEnum):
            assert all(member.value == member.value.lower() for member in kind), name
        elif dataclasses.is_dataclass(kind):
            assert kind.__dataclass_params__.frozen, name
