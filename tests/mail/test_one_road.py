"""Every message has a declared kind: nothing else reaches the outbox or a mail server."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared_apps.mail import notices

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("shared_apps", "tenant_apps", "tenants", "src/config", "src/toolkit")
OUTBOX = ROOT / "shared_apps/mail"
WRITERS = {"queue_all", "queue", "compose"}
SERVERS = {
    "send_mail",
    "send_mass_mail",
    "mail_admins",
    "mail_managers",
    "EmailMessage",
    "EmailMultiAlternatives",
}


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts and OUTBOX not in path.parents:
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def roads(tree: ast.Module) -> Iterator[str]:
    """The places of a file that write a message directly."""
    services = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            if node.module == "shared_apps.mail.services":
                yield from names & WRITERS
            if node.module == "shared_apps.mail":
                services |= {a.asname or a.name for a in node.names if a.name == "services"}
            if (node.module or "").startswith(("django.core.mail", "anymail")):
                yield from names & SERVERS
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            writes = ast.unparse(node.value) in services and node.attr in WRITERS
            if writes or node.attr == "sendmail":  # `sendmail` of smtplib
                yield node.attr
        elif isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called == "OutgoingMail" or (
                called.startswith("OutgoingMail.objects.")
                and called.rpartition(".")[2].startswith(("create", "bulk"))
            ):
                yield called


def test_nobody_else_writes_to_the_outbox() -> None:
    found = [f"{path.relative_to(ROOT)}: {road}" for path, tree in sources() for road in roads(tree)]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "from shared_apps.mail.services import queue",
        "from shared_apps.mail import services as outbox\noutbox.queue_all([])",
        "from django.core.mail import send_mail",
        "smtplib.SMTP('localhost').sendmail('a', 'b', 'c')",
        "OutgoingMail.objects.bulk_create([])",
    ],
)
def test_the_look_finds_one(source: str) -> None:
    assert list(roads(ast.parse(source)))


def test_every_kind_that_is_written_is_declared() -> None:
    """A `Notice(…)` that is not declared would be refused when it is sent."""
    kinds = set()
    for path, tree in sources():
        if not any(_imports_notice(node) for node in ast.walk(tree)):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Notice":
                (kind,) = [k.value for k in node.keywords if k.arg == "kind"]
                assert isinstance(kind, ast.Constant), path
                kinds.add(kind.value)
    assert kinds == {notice.kind for notice in notices.every()}
    assert len(kinds) > 30


def _imports_notice(node: ast.AST) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "shared_apps.mail.notices"
