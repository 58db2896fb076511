"""The Treasury's words are only in the folders of its providers, and no other code asks which provider it is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    *("tenant_apps/payments", "tenant_apps/portal", "tenant_apps/backoffice", "tenant_apps/notices"),
    *("tenant_apps/notices", "shared_apps/treasury", "shared_apps/console", "src/config"),
)
# These words are names of the Treasury's fields. « saisie » and « montant » are also French words: they count only
# where they are a whole string, and where they name a field of an answer.
WORDS = frozenset(("idop", "numcli", "resultrans", "refdet", "numauto", "dattrans", "heurtrans", "urlcl"))
ALONE = WORDS | {
    "saisie",
    "mel",
    "exer",
    "payfip",
    "tipi",
    "P1",
    "P3",
    "P4",
    "P5",
    "A1",
    "A2",
    "R3",
}
SAID = WORDS | {"payfip", "tipi"}
ELSEWHERE = {
    "tenant_apps/payments/providers": "a provider",
    "tenant_apps/payments/personal.py": "the headings, in French, of what a person is given",
    "shared_apps/console/townlist/columns.py": "the titles of a list of towns",
    "src/config/settings.py": "the names and addresses of the providers",
    "tenant_apps/backoffice/templates/backoffice/partials/statement_preview.html": "the Treasury's journal",
    "tenant_apps/backoffice/templates/backoffice/days.html": "the product's number, in the accountant's figures",
}
# The field `numcli` of a product is allowed.
OF_A_PRODUCT = re.compile(r"\b(product|p)(\.|__)numcli\b")


def files(suffix: str) -> Iterator[tuple[str, str]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob(f"*{suffix}")):
            name = str(path.relative_to(ROOT))
            if "migrations" not in path.parts and not name.startswith(tuple(ELSEWHERE)):
                yield name, path.read_text(encoding="utf-8")


def words_of(tree: ast.Module) -> Iterator[str]:
    """Every name and every string that is not a docstring."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node) if node.attr == "numcli" else node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg
        elif is_amount(node):
            yield "refdet"  # this one stands for all of WORDS
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def is_amount(node: ast.AST) -> bool:
    """Whether the node is `answer["montant"]` or `answer.get("montant")`."""
    if isinstance(node, ast.Subscript):
        return ast.unparse(node.slice) == "'montant'"
    return isinstance(node, ast.Call) and ".get('montant'" in ast.unparse(node)


def known(text: str) -> set[str]:
    rest = OF_A_PRODUCT.sub("", text)
    if rest in ALONE:
        return {rest}
    return {word for word in re.findall(r"\w+", rest.lower()) if word in WORDS}


def test_services_and_views_know_no_provider() -> None:
    found = {
        (name, word)
        for name, text in files(".py")
        for one in words_of(ast.parse(text))
        for word in known(one)
    }
    assert found == set()


def test_templates_know_no_provider() -> None:
    inside = re.compile(r"{{(.*?)}}|{%(.*?)%}", re.DOTALL)
    found = set()
    for name, text in files(".html"):
        for match in inside.finditer(text):
            code = OF_A_PRODUCT.sub("", match[1] or match[2])
            if not code.strip().startswith(("trans", "blocktrans")):
                found |= {(name, word) for word in re.findall(r"\w+", code.lower()) if word in SAID}
    assert found == set()


@pytest.mark.parametrize("text", ["idop", "SELECT idop FROM x", "payfip", "line.numcli", "P5"])
def test_the_scan_sees(text: str) -> None:
    assert known(text)


@pytest.mark.parametrize(
    "text", ["SELECT p.numcli", "attempt.product.numcli", "la saisie est finie", "montants"]
)
def test_the_scan_lets_through(text: str) -> None:
    assert not known(text)
