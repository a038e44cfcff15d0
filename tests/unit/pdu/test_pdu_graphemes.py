# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from gsmgw.pdu import graphemes


@pytest.mark.parametrize(
    "clusters",
    [
        [],
        ["a"],
        ["a", "b"],
        ["e\u0301", "x"],
        ["a", "\r\n", "b"],
        ["\n", "\r"],
        ["👍🏽", "👍"],
        ["👩\u200d⚕\ufe0f", "!"],
        ["🇵🇱", "🇬🇧", "🇺"],
        ["🇵🇱", "a", "🇬🇧"],
        ["1\ufe0f\u20e3", "2"],
        ["กำ", "ก"],
        ["\u1100\u1161\u11a8", "\u1100"],
        ["नि", "क"],
        ["\u0301", "a"],
        ["\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f", "!"],
    ],
)
def test_graphemes(clusters: list[str]) -> None:
    assert list(graphemes.split_graphemes("".join(clusters))) == clusters
