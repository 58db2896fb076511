"""docs/security.md says all of OWASP ASVS 5.0.0, level 2, once each, and cites tests that exist."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from sandbox.home import REPOSITORY

SECURITY = REPOSITORY / "docs" / "security.md"
PAPERS = (
    SECURITY,
    REPOSITORY / "docs" / "security-papers.md",
    REPOSITORY / "docs" / "threat-model.md",
    REPOSITORY / "SECURITY.md",
)
STATUSES = ("kept", "partly", "not kept", "not applicable")
# Section: its requirements of level 1, then of level 2. Those of level 3 are left out.
ASVS: dict[str, tuple[str, str]] = {
    "1.1": ("", "1 2"),
    "1.2": ("1 2 3 4 5", "6 7 8 9"),
    "1.3": ("1 2", "3 4 5 6 7 8 9 10 11"),
    "1.4": ("", "1 2 3"),
    "1.5": ("1", "2"),
    "2.1": ("1", "2 3"),
    "2.2": ("1 2", "3"),
    "2.3": ("1", "2 3 4"),
    "2.4": ("", "1"),
    "3.2": ("1 2", ""),
    "3.3": ("1", "2 3 4"),
    "3.4": ("1 2", "3 4 5 6"),
    "3.5": ("1 2 3", "4 5"),
    "3.7": ("", "1 2"),
    "4.1": ("1", "2 3"),
    "4.2": ("", "1"),
    "4.3": ("", "1 2"),
    "4.4": ("1", "2 3 4"),
    "5.1": ("", "1"),
    "5.2": ("1 2", "3"),
    "5.3": ("1 2", ""),
    "5.4": ("", "1 2 3"),
    "6.1": ("1", "2 3"),
    "6.2": ("1 2 3 4 5 6 7 8", "9 10 11 12"),
    "6.3": ("1 2", "3 4"),
    "6.4": ("1 2", "3 4"),
    "6.5": ("", "1 2 3 4 5"),
    "6.6": ("", "1 2 3"),
    "6.8": ("", "1 2 3 4"),
    "7.1": ("", "1 2 3"),
    "7.2": ("1 2 3 4", ""),
    "7.3": ("", "1 2"),
    "7.4": ("1 2", "3 4 5"),
    "7.5": ("", "1 2"),
    "7.6": ("", "1 2"),
    "8.1": ("1", "2"),
    "8.2": ("1 2", "3"),
    "8.3": ("1", ""),
    "8.4": ("", "1"),
    "9.1": ("1 2 3", ""),
    "9.2": ("1", "2 3 4"),
    "10.1": ("", "1 2"),
    "10.2": ("", "1 2"),
    "10.3": ("", "1 2 3 4"),
    "10.4": ("1 2 3 4 5", "6 7 8 9 10 11"),
    "10.5": ("", "1 2 3 4 5"),
    "10.6": ("", "1 2"),
    "10.7": ("", "1 2 3"),
    "11.1": ("", "1 2"),
    "11.2": ("", "1 2 3"),
    "11.3": ("1 2", "3"),
    "11.4": ("1", "2 3 4"),
    "11.5": ("", "1"),
    "11.6": ("", "1"),
    "12.1": ("1", "2 3"),
    "12.2": ("1 2", ""),
    "12.3": ("", "1 2 3 4"),
    "13.1": ("", "1"),
    "13.2": ("", "1 2 3 4 5"),
    "13.3": ("", "1 2"),
    "13.4": ("1", "2 3 4 5"),
    "14.1": ("", "1 2"),
    "14.2": ("1", "2 3 4"),
    "14.3": ("1", "2 3"),
    "15.1": ("1", "2 3"),
    "15.2": ("1", "2 3"),
    "15.3": ("1", "2 3 4 5 6 7"),
    "16.1": ("", "1"),
    "16.2": ("", "1 2 3 4 5"),
    "16.3": ("", "1 2 3 4"),
    "16.4": ("", "1 2 3"),
    "16.5": ("", "1 2 3"),
    "17.1": ("", "1"),
    "17.2": ("", "1 2 3 4"),
    "17.3": ("", "1 2"),
}
LEVEL_1, LEVEL_2 = (
    [f"{section}.{number}" for section, levels in ASVS.items() for number in levels[level].split()]
    for level in (0, 1)
)
NUMBER = re.compile(r"\d+\.\d+\.\d+")


def rows(text: str) -> list[list[str]]:
    """The cells of the tables whose first cell is a list of requirements."""
    cells = [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for line in text.splitlines()
        if line[:1] == "|"
    ]
    return [row for row in cells if NUMBER.match(row[0].strip("| "))]


def status(cell: str) -> str:
    """`kept`, `partly`… of « partly: which part »; the cell itself when it is none of them."""
    # The longest first: « not kept for residents » is not « kept ».
    for one in sorted(STATUSES, key=len, reverse=True):
        if re.match(rf"{one}(?:$|[ :,])", cell):
            return one
    return cell


def test_the_standard_s_own_sum() -> None:
    """What OWASP publishes of 5.0.0: 70 of level 1, 183 of level 2."""
    assert (len(set(LEVEL_1)), len(set(LEVEL_2)), len(set(LEVEL_1) & set(LEVEL_2))) == (70, 183, 0)


def test_each_requirement_once_with_its_status() -> None:
    found: list[str] = []
    for row in rows(SECURITY.read_text(encoding="utf-8")):
        numbers = row[0].split(", ")
        assert all(NUMBER.fullmatch(number) for number in numbers), row[0]
        assert len(row) == 4, row
        assert status(row[2]) in STATUSES, row
        found += numbers
    assert [number for number, times in Counter(found).items() if times > 1] == []
    assert set(found) == {*LEVEL_1, *LEVEL_2}


def test_what_is_not_whole_says_why() -> None:
    """A « partly » or « not kept » names what is missing; a « kept » shows a test or a paper, or has none."""
    for row in rows(SECURITY.read_text(encoding="utf-8")):
        if status(row[2]) in ("partly", "not kept"):
            assert len(row[1] + row[2]) > 30, row
            assert row[2] != "partly", row
        elif status(row[2]) == "kept":
            assert re.search(r"::test_|no test|make lint|«|\]\(|requirements\.lock", row[3]), row


def test_the_sums() -> None:
    text = SECURITY.read_text(encoding="utf-8")
    counted = Counter(dict.fromkeys(STATUSES, 0))
    for row in rows(text):
        counted[status(row[2])] += len(row[0].split(", "))
    said = {
        name: int(number) for name, number in re.findall(r"^\| ([a-z ]+) \| (\d+) \|$", text, re.MULTILINE)
    }
    assert said == dict(counted)


def test_what_is_not_kept_is_in_the_list() -> None:
    """The list by gravity is how the next work is chosen: each « partly » and « not kept » stands in it, once."""
    text = SECURITY.read_text(encoding="utf-8")
    gravity = text.partition("## What is not kept")[2].partition("\n## ")[0]
    wanted = [
        number
        for row in rows(text)
        if status(row[2]) in ("partly", "not kept")
        for number in row[0].split(", ")
    ]
    assert sorted(NUMBER.findall(gravity)) == sorted(wanted)


@cache
def names_in(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_test_that_is_cited_exists(paper: Path) -> None:
    text = paper.read_text(encoding="utf-8")
    cited = re.findall(r"(tests/[\w/]+\.py)::(\w+)", text)
    assert [one for one in cited if not (REPOSITORY / one[0]).is_file()] == []
    assert [one for one in cited if one[1] not in names_in(REPOSITORY / one[0])] == []


@pytest.mark.parametrize("paper", PAPERS, ids=lambda paper: paper.name)
def test_every_link_of_a_paper_leads_somewhere(paper: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", paper.read_text(encoding="utf-8"))
    gone = [one for one in links if "://" not in one and not (paper.parent / one).exists()]
    assert gone == []
