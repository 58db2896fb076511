"""What code and pages cite exists, inside this repository: pages, their sections, decisions, files, tests."""

import ast
import io
import re
import subprocess
import tokenize
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUTSIDE = re.compile(r"(?<![\w/-])(?:\.\./)?shared/[\w.-]+|(?<![\w/])/work/|\bdesign(?:\.md)? §")
PAGE = re.compile(r"(?<![\w/.-])((?:docs/)?(?:[\w-]+/)*[\w-]+\.md)\b(?:,? §([0-9]+))?")
DECISION = re.compile(r"\b[Dd]ecisions? \[?([0-9]{1,4})\b|\bdocs/decisions/([0-9]{4})\b")
FILE = re.compile(r"(?<![\w/.*<-])((?:[\w-]+/)+[\w-]+\.(?:py|html|toml|css|js|yaml|sql))(?:::(\w+))?")
DOTTED = re.compile(r"`((?:[a-z_]+\.)*[a-z_]+\.\w+)(?:\([^`]*)?`")
POINT = re.compile(r"(?<![\w./-])M([0-9]{1,2})\b(?!\.)")
FOLDERS = ("docs", "tests", "benchmarks", "tenants", "shared_apps", "tenant_apps", "src", "deploy", "helm")
TREES = ("", "src/", "docs/", "docs/decisions/", "src/config/")
WORTH_READING = re.compile(r"\.(?:md|py|html|toml|css|js|yaml|sql)\b|ecision|shared/|/work/|design|\bM[0-9]")
OF_OTHERS = re.compile(r"tests/.*/(?:recorded|samples)/")  # exchanges and files as other software writes them
NOT_THE_MANUAL = ("tests/payments/", "tests/sandbox/", "src/sandbox/payfip/")  # M1, M3, M5: codes of PayFiP


@cache
def tracked() -> tuple[str, ...]:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(name for name in listing.split("\0") if name and (ROOT / name).is_file())


@cache
def prose(name: str) -> str:
    """What a person reads in a file: the comments and docstrings of Python, the whole of any other text."""
    text = (ROOT / name).read_text()
    if not name.endswith(".py"):
        return text
    comments = [
        token.string
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT
    ]
    nodes = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = [
        ast.get_docstring(node) or "" for node in ast.walk(ast.parse(text)) if isinstance(node, nodes)
    ]
    return "\n".join([*docstrings, *comments])


def readable() -> list[str]:
    kinds = (
        ".py",
        ".md",
        ".html",
        ".toml",
        ".yaml",
        ".yml",
        ".css",
        ".sql",
        ".txt",
        "Makefile",
        "Dockerfile",
    )
    mine = Path(__file__).relative_to(ROOT).as_posix()
    return [name for name in tracked() if name.endswith(kinds) and name != mine and not OF_OTHERS.match(name)]


def found(name: str, cited: str) -> Path | None:
    """`cited` stands at the top, beside the file that cites it, in one of its parents, or at the end of a path."""
    near = [parent / cited for parent in (ROOT / name).parents if parent.is_relative_to(ROOT)]
    ends = [ROOT / other for other in tracked() if other.endswith("/" + cited)]
    return next((p for p in [*near, *(ROOT / tree / cited for tree in TREES), *ends] if p.is_file()), None)


@cache
def rooms() -> dict[str, Path]:
    """The folder of each room and of each part of `src/`, by the name that dotted paths begin with."""
    parents = [ROOT, ROOT / "shared_apps", ROOT / "tenant_apps", ROOT / "src"]
    return {
        folder.name: folder
        for parent in parents
        for folder in parent.iterdir()
        if (folder / "__init__.py").is_file()
    }


def is_importable(dotted: str) -> bool:
    """Whether `room.package.module.name` leads to a module, or to a name written in one."""
    first, *rest = dotted.split(".")
    where = rooms()[first]
    while rest and (where / rest[0]).is_dir():
        where = where / rest.pop(0)
    if not rest:
        return True
    if (where / f"{rest[0]}.py").is_file():
        module = where / f"{rest.pop(0)}.py"
        return not rest or bool(re.search(rf"\b{rest[0]}\b", module.read_text()))
    likely = [where / "models.py", where / "services.py", where / "apps.py", where / "__init__.py"]
    return any(re.search(rf"^(?:def|class) {rest[0]}\b", f.read_text(), re.M) for f in likely if f.is_file())


@cache
def facts() -> set[str]:
    """The verbs of the trail, which look like dotted names."""
    return set(re.findall(r"`(\w+\.\w+)`", (ROOT / "docs/facts.md").read_text()))


def problems_of(name: str) -> list[str]:
    if not WORTH_READING.search((ROOT / name).read_text()):
        return []
    text = prose(name)
    wrong = [f"« {match.group()} » is outside of the repository" for match in OUTSIDE.finditer(text)]
    for match in PAGE.finditer(text):
        page, section = match.groups()
        where = ROOT / page if page.startswith("docs/") else found(name, page)
        if where is None or not where.is_file():
            wrong.append(f"no page {page}")
        elif section and not re.search(rf"^#+ §{section}\.", where.read_text(), re.M):
            wrong.append(f"{page} has no §{section}")
    for match in DECISION.finditer(text):
        number = int(match.group(1) or match.group(2))
        if not list((ROOT / "docs/decisions").glob(f"{number:04}-*.md")):
            wrong.append(f"no decision {number}")
    for match in FILE.finditer(text):
        path, test = match.groups()
        where = found(name, path)
        if where is None:
            if path.split("/")[0] in FOLDERS or name.endswith(".md"):
                wrong.append(f"no file {path}")
        elif test and not re.search(rf"^\s*(?:async )?def {test}\b|^class {test}\b", where.read_text(), re.M):
            wrong.append(f"no {test} in {path}")
    if name.endswith(".md"):
        for dotted in DOTTED.findall(text):
            if dotted.split(".")[0] in rooms() and not is_importable(dotted) and dotted not in facts():
                wrong.append(f"no {dotted}")
    if name.endswith(".py") and not name.startswith(NOT_THE_MANUAL) and POINT.search(text):
        if "docs/manual.md" not in text:
            wrong.append("a point of the manual (M…) and no word of docs/manual.md")
        points = re.findall(r"^\| M([0-9]+) \|", (ROOT / "docs/manual.md").read_text(), re.M)
        wrong += [f"no M{point} in docs/manual.md" for point in POINT.findall(text) if point not in points]
    return wrong


def test_what_is_cited_exists() -> None:
    wrong = [f"{name}: {problem}" for name in readable() for problem in problems_of(name)]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("# see docs/nowhere.md", "no page docs/nowhere.md"),
        ("# see docs/payfip.md §12", "docs/payfip.md has no §12"),
        ("# see nowhere.md", "no page nowhere.md"),
        ("# decision 9999", "no decision 9999"),
        ('"""See docs/decisions/9998."""', "no decision 9998"),
        ("# tests/portal/test_nothing.py", "no file tests/portal/test_nothing.py"),
        ("# tests/config/test_papers.py::test_nothing", "no test_nothing in tests/config/test_papers.py"),
        ("# design §4", "« design § » is outside of the repository"),
        ("# ../shared/plan", "« ../shared/plan » is outside of the repository"),
        ("# M6", "a point of the manual (M…) and no word of docs/manual.md"),
        ("# docs/manual.md, M60", "no M60 in docs/manual.md"),
        ("# docs/payfip.md §2, tests/config/test_papers.py::tracked, decision 12, docs/manual.md, M6", None),
        ("x = 'docs/nowhere.md'", None),  # a string of the program is no citation
    ],
)
def test_what_would_be_found_in_python(written: str, problem: str | None, tmp_path: Path) -> None:
    file = tmp_path / "some.py"
    file.write_text(written + "\n")
    assert problems_of(str(file)) == ([problem] if problem else [])


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("`payments.nowhere.py_like`, decision 12", "no payments.nowhere.py_like"),
        ("`tenants.nothing()`, decision 12", "no tenants.nothing"),
        ("`accounts.passwords.hashing`, `invoices.Invoice`, decision 12", None),
        ("[x](nowhere.md)", "no page nowhere.md"),
    ],
)
def test_what_would_be_found_in_a_page(written: str, problem: str | None, tmp_path: Path) -> None:
    file = tmp_path / "some.md"
    file.write_text(written + "\n")
    assert problems_of(str(file)) == ([problem] if problem else [])
