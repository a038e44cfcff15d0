# SPDX-License-Identifier: Apache-2.0
"""docs/modems.md names every profile, its vendors, its fields, and the models we know of."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from gsmgw.modem import profiles
from gsmgw.simulator.device import habits

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "modems.md").read_text("utf-8")


def cells(heading: str) -> list[list[str]]:
    section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)
    assert section is not None
    lines = [line for line in section.group(1).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_profiles_and_vendors_are_named() -> None:
    rows = {row[2].strip("`"): row for row in cells("What is needed")}
    assert set(rows) == {profile.name for profile in profiles.PROFILES}
    for profile in profiles.PROFILES:
        assert [f"`{vendor}`" for vendor in profile.usb_vendors] == list(
            filter(None, [rows[profile.name][1]])
        )


def test_models_of_transcripts_and_simulator_are_named() -> None:
    folder = ROOT / "tests" / "data" / "transcripts"
    models = {path.stem.split("-")[1] for path in folder.glob("*-*.txt")}
    models |= {
        one.model.rpartition("_")[2] for one in habits.VENDORS.values() if one.name != "generic"
    }
    assert sorted(model for model in models if model not in TEXT) == []


def test_fields_of_a_profile_are_explained() -> None:
    named = {name for row in cells("What differs, in data") for name in re.findall(r"\w+", row[0])}
    assert named == {field.name for field in dataclasses.fields(profiles.Profile)} - {"name"}


def test_the_udev_rules_know_the_vendors() -> None:
    rules = (ROOT / "systemd" / "60-gsmgw.rules").read_text("utf-8")
    vendors = {vendor for profile in profiles.PROFILES for vendor in profile.usb_vendors}
    assert vendors <= set(re.findall(r"[0-9a-f]{4}", rules))
