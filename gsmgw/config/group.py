# SPDX-License-Identifier: Apache-2.0
"""What all groups of keys share: strictness, switches, and paths that count from the file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from gsmgw.config import values

Switch: TypeAlias = Annotated[bool, BeforeValidator(values.switch)]


class Group(BaseModel):
    """A group of keys; other keys in it are mistakes."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def anchored(found: object, info: ValidationInfo) -> Path:
    """Read a path; one without a leading / is meant from the configuration file's directory."""
    try:
        path = Path(values.text(found)).expanduser()
    except RuntimeError as error:
        raise ValueError("allowed is a path; the home directory after ~ is not known") from error
    folder = (info.context or {}).get("folder")
    return Path(folder) / path if folder is not None else path


FilePath: TypeAlias = Annotated[Path, BeforeValidator(anchored)]
