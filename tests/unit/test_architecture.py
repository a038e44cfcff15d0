# SPDX-License-Identifier: Apache-2.0
"""The shape of the tree: sizes, first sentences, the code map, and what must not stand anywhere.

`python tests/unit/test_architecture.py --write` brings the code map in docs/architecture.md up to
date; the tests only compare.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "gsmgw"
ARCHITECTURE = ROOT / "docs" / "architecture.md"

SPDX = "# SPDX-License-Identifier: Apache-2.0"
#: A file should not be longer than this; some may, a few at most.
WANTED_LINES = 400
LONGER_ONES = 3
#: No file is longer than this.
MOST_LINES = 500
MOST_MODULES = 15
ARCHITECTURE_LINES = 150
README_LINES = 120

#: Packages whose modules stand in the code map one by one, without those of the packages in them;
#: of the others one line is enough.
SHOWN_IN_FULL = ("clinic", "gateway", "modem", "store")
#: Where any error at all may be caught: the supervisor, unsolicited codes, one file of the spool.
BORDERS = {"threads.py", "modem/port.py", "spool/recording.py", "spool/clinic/importing.py"}

_BEGIN, _END = "<!-- codemap: begin -->", "<!-- codemap: end -->"
_SENTENCE_END = re.compile(r"\.(?=\s|$)")
# Spelled in pieces, so that this file does not find itself.
_LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")
_DEVELOPERS_PATH = re.compile(r"(?<![\w.-])/(?:wo" r"rk|home/[a-z]\w*|Use" r"rs/\w+)/")
_ENTRY_POINT = re.compile(r"(gsmgw(?:\.\w+)+):\w+")
_TEXT_SUFFIXES = {
    ".py",
    ".md",
    ".sql",
    ".yaml",
    ".toml",
    ".cfg",
    ".service",
    ".rules",
    ".sysusers",
    ".tmpfiles",
    ".sh",
    ".txt",
    "",
}


# -- the code map ---------------------------------------------------------------------------------


def first_sentence(path: Path) -> str:
    """Return the first sentence of a module's docstring on one line; '' if it has none."""
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(docstring.partition("\n\n")[0].split())
    end = _SENTENCE_END.search(paragraph)
    return paragraph[: end.end()] if end else paragraph


def codemap() -> str:
    """Return the code map as it must stand between the markers."""
    return "\n".join(_map_of(PACKAGE, depth=0, in_full=True))


def _map_of(folder: Path, *, depth: int, in_full: bool) -> Iterator[str]:
    indent = "  " * depth
    if in_full:
        for path in _modules(folder):
            yield f"{indent}- `{path.name}` {first_sentence(path)}"
    for below in _packages(folder):
        yield f"{indent}- `{below.name}/` {first_sentence(below / '__init__.py')}"
        shown = depth == 0 and below.name in SHOWN_IN_FULL
        yield from _map_of(below, depth=depth + 1, in_full=shown)


def write_codemap() -> None:
    """Put the present code map into docs/architecture.md."""
    before, found, rest = ARCHITECTURE.read_text(encoding="utf-8").partition(_BEGIN)
    _, closed, after = rest.partition(_END)
    if not (found and closed):
        sys.exit(f"{ARCHITECTURE} has lost its marks {_BEGIN} {_END}")
    ARCHITECTURE.write_text(f"{before}{_BEGIN}\n{codemap()}\n{_END}{after}", encoding="utf-8")


def test_code_map_says_what_the_modules_say() -> None:
    _, _, rest = ARCHITECTURE.read_text(encoding="utf-8").partition(_BEGIN)
    written = rest.partition(_END)[0].strip("\n")
    assert written == codemap(), "run: python tests/unit/test_architecture.py --write"


# -- the tree -------------------------------------------------------------------------------------


def _modules(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.py") if not path.stem.startswith("__"))


def _packages(folder: Path) -> list[Path]:
    return sorted(path.parent for path in folder.glob("*/__init__.py"))


def _sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def _short(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _line_count(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def _project_texts() -> Iterator[tuple[str, str]]:
    """Yield name and content of every text file of the project; caches and builds left out."""
    folders = ("gsmgw", "tests", "docs", "config", "systemd", "packaging", ".ci")
    paths = [path for path in ROOT.iterdir() if path.is_file() and path.name[0] != "."]
    for folder in folders:
        paths += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    for path in sorted(paths):
        name = path.relative_to(ROOT).as_posix()
        if "__pycache__" in name or name.startswith("tests/data/"):
            continue
        if path.suffix in _TEXT_SUFFIXES:
            yield name, path.read_text(encoding="utf-8", errors="replace")


def test_files_are_short() -> None:
    lengths = {_short(path): _line_count(path) for path in _sources()}
    too_long = {name: lines for name, lines in lengths.items() if lines > MOST_LINES}
    assert not too_long, f"at most {MOST_LINES} lines"
    longer = {name: lines for name, lines in lengths.items() if lines > WANTED_LINES}
    assert len(longer) <= LONGER_ONES, f"{WANTED_LINES} lines are wanted: {longer}"


def test_test_files_are_short() -> None:
    lengths = {path.name: _line_count(path) for path in (ROOT / "tests").rglob("*.py")}
    assert not {name: lines for name, lines in lengths.items() if lines > MOST_LINES}


def test_folders_hold_few_modules() -> None:
    folders = {path.parent for path in _sources()}
    counts = {_short(folder): len(_modules(folder)) for folder in folders}
    assert not {name: count for name, count in counts.items() if count > MOST_MODULES}


def test_every_module_names_its_licence_first() -> None:
    paths = [*_sources(), *(ROOT / "tests").rglob("*.py")]
    lacking = [
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.read_text(encoding="utf-8").partition("\n")[0] != SPDX
    ]
    assert not lacking


def test_every_module_says_in_one_sentence_what_it_is() -> None:
    assert not [_short(p) for p in _sources() if not first_sentence(p).endswith(".")]


def test_documents_stay_short() -> None:
    assert _line_count(ARCHITECTURE) <= ARCHITECTURE_LINES
    assert _line_count(ROOT / "README.md") < README_LINES


def test_nothing_is_left_for_later() -> None:
    found = [
        f"{name}: {match.group()}"
        for name, text in _project_texts()
        for match in _LATER.finditer(text)
    ]
    assert not found


def test_no_path_of_a_developers_machine() -> None:
    found = [
        f"{name}: {match.group()}"
        for name, text in _project_texts()
        for match in _DEVELOPERS_PATH.finditer(text)
    ]
    assert not found


def test_version_is_that_of_the_newest_changelog_heading() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(\d[^\]]*)\]", changelog, re.MULTILINE)
    source = (PACKAGE / "__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    assert headings
    assert version is not None
    assert version.group(1) == headings[0]


# -- errors and imports ---------------------------------------------------------------------------


def _catches_all(handler: ast.ExceptHandler) -> bool:
    """Tell whether a handler takes any error and does not pass it on."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    broad = any(
        kind is None or (isinstance(kind, ast.Name) and kind.id in ("Exception", "BaseException"))
        for kind in kinds
    )
    last = handler.body[-1]
    return broad and not (isinstance(last, ast.Raise) and last.exc is None)


def test_only_the_borders_catch_everything() -> None:
    catching = {
        _short(path)
        for path in _sources()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ExceptHandler) and _catches_all(node)
    }
    assert catching <= BORDERS


def _module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imports(path: Path) -> Iterator[str]:
    """Yield what a module imports, also by a string such as `gsmgw.cli.status:status`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _ENTRY_POINT.findall(node.value)


def test_every_module_is_imported_by_another() -> None:
    imported = set(_ENTRY_POINT.findall((ROOT / "setup.cfg").read_text(encoding="utf-8")))
    names = {_module_name(path): path for path in _sources() if path.stem[:2] != "__"}
    for path in _sources():
        imported |= set(_imports(path)) - {_module_name(path)}
    assert not sorted(set(names) - imported)


if __name__ == "__main__":
    if sys.argv[1:] != ["--write"]:
        sys.exit("usage: python tests/unit/test_architecture.py --write")
    write_codemap()
