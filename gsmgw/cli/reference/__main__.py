# SPDX-License-Identifier: Apache-2.0
"""`python -m gsmgw.cli.reference man|completion|catalog DEST`, run when a package is built."""

from __future__ import annotations

from pathlib import Path

import click

from gsmgw.cli.reference import catalog, completion, manual, pages

_DEST = click.argument("dest", type=click.Path(path_type=Path))
_DOCS = click.option(
    "--docs",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=pages.DOCS,
    help="Where the documents are; default: beside the program's source.",
)


@click.group()
def reference() -> None:
    """Write what is installed beside the program."""


@reference.command("man")
@_DEST
@_DOCS
def man_pages(dest: Path, docs: Path) -> None:
    """Write the pages of the manual into the directory DEST."""
    dest.mkdir(parents=True, exist_ok=True)
    for name, text in manual.pages(docs).items():
        (dest / name).write_text(text, encoding="utf-8")


@reference.command("completion")
@_DEST
def completions(dest: Path) -> None:
    """Write gsmgw.bash, gsmgw.zsh and gsmgw.fish into the directory DEST."""
    dest.mkdir(parents=True, exist_ok=True)
    for shell, text in completion.scripts().items():
        (dest / f"gsmgw.{shell}").write_text(text, encoding="utf-8")


@reference.command("catalog")
@_DEST
@_DOCS
def journal_catalog(dest: Path, docs: Path) -> None:
    """Write the journal's catalogue into the file DEST."""
    dest.parent.mkdir(parents=True, exist_ok=True)
    dest.write_text(catalog.format_catalog(pages.read(docs / "log-messages.md")), encoding="utf-8")


if __name__ == "__main__":
    reference()
