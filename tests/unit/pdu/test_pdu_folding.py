# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: RUF001 (characters that look alike are what these tests are about)
from __future__ import annotations

import unicodedata

import pytest

from gsmgw import pdu


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("", ""),
        ("Plain text with à, ö and €", "Plain text with à, ö and €"),
        ("Zażółć gęślą jaźń", "Zazolc gesla jazn"),
        ("ZAŻÓŁĆ GĘŚLĄ JAŹŃ", "ZAZOLC GESLA JAZN"),
        ("Příliš žluťoučký kůň úpěl ďábelské ódy", "Prilis zlutoucky kun upel dabelské ody"),
        ("Árvíztűrő tükörfúrógép", "Arvizt\u00fcr\u00f6 t\u00fck\u00f6rfurogép"),
        ("Mañana a las ocho, señor Núñez: ¿vendrá?", "Mañana a las ocho, señor Nuñez: ¿vendra?"),
        ("Îți mulțumim, șantier", "Iti multumim, santier"),
        ("İstanbul’da ığdır", "Istanbul'da igdir"),
        ("„cytat” – “quote” — ‘q’…", '"cytat" - "quote" - \'q\'...'),
        ("« oui »\u202f!", '" oui " !'),
        ("don`t", "don't"),
        ("tab\tnbsp\u00a0soft\u00adhyphen", "tab nbsp softhyphen"),
        ("Œuvre, œil, þorn, Đorđe, Straẞe", "OEuvre, oeil, thorn, Dorde, StraSSe"),
        ("Tiếng Việt, Nguyễn", "Tiéng Viet, Nguyen"),
        ("garçon, São João, château", "garcon, Sao Joao, chateau"),
        ("ǿ ǻ ǟ", "ø å ä"),
    ],
)
def test_letters_are_folded_to_the_nearest(text: str, folded: str) -> None:
    assert pdu.fold(text) == folded


@pytest.mark.parametrize(
    "text",
    [
        "Привет, мир",
        "йё",
        "Καλημέρα",
        "你好",
        "👍🏽",
        "10² m",
        "½",
        "5 µg",
        "37 °C",
        "№ 5",
        "שלום",
        "हिंदी",
    ],
)
def test_what_has_no_fitting_letter_stays(text: str) -> None:
    assert pdu.fold(text) == text


@pytest.mark.parametrize("text", ["Zażółć gęślą", "señor Núñez", "Årsta å", "Příliš"])
def test_accents_written_apart_fold_the_same(text: str) -> None:
    apart = unicodedata.normalize("NFD", text)
    assert apart != text
    assert pdu.fold(apart) == pdu.fold(text)


def test_an_accent_goes_only_with_a_letter_of_ours() -> None:
    assert pdu.fold("q\u0301") == "q"
    assert pdu.fold("\u0301ą") == "\u0301a"
    assert pdu.fold("и\u0306ą") == "и\u0306a"


def test_folding_saves_parts() -> None:
    text = "Prosimy o potwierdzenie wizyty: jutro, godz. 8:30, gabinet 12 – dziękujemy"
    assert pdu.measure(text).alphabet is pdu.Alphabet.UCS2
    assert pdu.measure(text).parts == 2
    assert pdu.measure(pdu.fold(text)).parts == 1
