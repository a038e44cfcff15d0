# SPDX-License-Identifier: Apache-2.0
"""Guesses in which encoding a table was written, by how plausible its letters are."""

from __future__ import annotations

import codecs
import re

from gsmgw.clinic.interchange.parsed import UnreadableFileError

#: Encodings of one octet a letter, by the country that most likely uses each.
SINGLE = ("cp1250", "cp1251", "cp1252", "iso-8859-2")

_CENTRAL = frozenset(["PL", "CZ", "SK", "HU", "SI", "HR", "RO", "AL", "BA", "RS"])
_CYRILLIC = frozenset(["RU", "BY", "UA", "BG", "MK", "KZ", "KG"])

#: Letters outside ASCII that people of a country write.
_HOME = {
    "PL": "ąćęłńóśźż",
    "CZ": "áčďéěíňóřšťúůýž",
    "SK": "áäčďéíĺľňóôŕšťúýž",
    "HU": "áéíóöőúüű",
    "ES": "áéíñóúü",
    "DE": "äöüß",
    "AT": "äöüß",
    "FR": "àâæçéèêëîïôœùûüÿ",
    "IT": "àèéìíîòóùú",
    "PT": "àáâãçéêíóôõú",
    "RO": "ăâîșşțţ",
    "NL": "áéëïóöü",
    "TR": "çğıöşü",
}
_WESTERN = "àáâãäåæçèéêëìíîïñòóôõöøùúûüýß"
#: Signs that tables hold beside letters.
_USUAL_SIGNS = frozenset("№°«»§…€\u00a0\u2013\u2014\u2018\u2019\u201a\u201c\u201d\u201e")
#: Words of headers, in ASCII, that tell in which country's letters the rest is written: a table in
#: Spanish is one whatever the gateway's country is.
_HEADERS = {
    "PL": frozenset({b"data", b"godzina", b"lekarz", b"nazwisko", b"nr", b"pacjenta", b"wizyty"}),
    "ES": frozenset({b"fecha", b"hora", b"paciente", b"nombre", b"apellidos", b"profesional"}),
    "DE": frozenset({b"datum", b"uhrzeit", b"vorname", b"nachname", b"arzt", b"patientennummer"}),
}
_ASCII_WORD = re.compile(rb"[a-z]+")
#: Octets of a file by which its encoding is guessed.
_SAMPLE = 100_000
_WORD = re.compile(r"\w+")


def decode(
    content: bytes, encoding: str | None, country: str, key: str = "the encoding"
) -> tuple[str, str]:
    """Return the text of a file and its encoding.

    Args:
        content: the octets.
        encoding: what the configuration says; None guesses.
        country: two letters; decides between encodings that fit alike.
        key: where the configuration says it, for the words of the error.

    Raises:
        UnreadableFileError: it is no text, or not in the encoding that was said.
    """
    if b"\0" in content and not content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UnreadableFileError(
            "this is no text: it has zero octets. If it is a spreadsheet, save it as CSV"
        )
    if content.startswith(codecs.BOM_UTF8):
        encoding = "utf-8"
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    if encoding is not None:
        return _decode(content, "utf-8-sig" if encoding == "utf-8" else encoding, key), encoding
    try:
        return content.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        sample = _foreign_lines(content)
        country = _country_of(content, country)
        best = max(_order(country), key=lambda name: _plausible(sample, name, country))
        return content.decode(best, "replace"), best


def is_utf8(content: bytes) -> bool:
    """Tell whether these octets are UTF-8 beyond doubt: valid, and not only ASCII."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not content.isascii()


def _country_of(content: bytes, country: str) -> str:
    """Return the country that two words or more of the header speak for, else the one given."""
    header = content.lstrip().partition(b"\n")[0].partition(b"\r")[0].lower()
    found = set(_ASCII_WORD.findall(header))
    best = max(_HEADERS, key=lambda name: len(found & _HEADERS[name]))
    is_plain = len(found & _HEADERS[best]) > 1 and country not in _CYRILLIC
    # The countries of one language share its letters.
    return best if is_plain and _letters(best) != _letters(country) else country


def _letters(country: str) -> str:
    return _HOME.get(country, _WESTERN)


def _foreign_lines(content: bytes) -> bytes:
    """Return lines that hold more than ASCII, as many as a guess needs."""
    found, length = [], 0
    for line in content.splitlines():
        if line.isascii():
            continue
        found.append(line[:_SAMPLE])
        length += len(found[-1])
        if length > _SAMPLE:
            break
    return b"\n".join(found)


def _decode(content: bytes, encoding: str, key: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnreadableFileError(
            f"line {line} is not {encoding.removesuffix('-sig')}, which is what is expected;"
            f" set {key}, or leave it out to have it guessed"
        ) from error


def _order(country: str) -> tuple[str, ...]:
    """Return the encodings, the country's own first: max() takes the first of equals."""
    first = "cp1251" if country in _CYRILLIC else "cp1250" if country in _CENTRAL else "cp1252"
    return (first, *(name for name in SINGLE if name != first))


def _plausible(content: bytes, encoding: str, country: str) -> float:
    """Weigh the letters outside ASCII: those of home speak for it, odd signs and mixes against."""
    home = _HOME.get(country, _WESTERN if country not in _CYRILLIC else "")
    weight = 0.0
    text = content.decode(encoding, "replace")
    for word in _WORD.findall(text):
        foreign = [sign for sign in word.casefold() if sign > "\x7f"]
        if not foreign:
            continue
        cyrillic = sum("\u0400" <= sign <= "\u04ff" for sign in foreign)
        if cyrillic:
            # A name is Cyrillic as a whole; Latin letters beside make it a wrong guess.
            mixed = any("a" <= sign <= "z" for sign in word.casefold())
            weight += -2.0 * len(foreign) if mixed else 1.0 * cyrillic
            continue
        weight += sum(1.0 if sign in home else -0.5 for sign in foreign)
    odd = [sign for sign in text if sign > "\x7f" and not sign.isalnum()]
    return weight - 2.0 * sum(sign not in _USUAL_SIGNS for sign in odd)
