"""The real S3 is stopped: a page says so in words (503), what was typed is kept, and all the rest goes on."""

import html
import io
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as configured
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from sandbox.home import free_base_port
from sandbox.services import find
from shared_apps.accounts.models import Account, Role
from tenant_apps.contact.models import Message
from tenant_apps.contact.services import send_message
from tenant_apps.invoices.batches import processing as batches
from tenant_apps.invoices.models import Batch, Document
from tenant_apps.invoices.services import create_batch
from tenant_apps.reconciliation.models import Statement
from tenant_apps.reconciliation.statements import processing as reading
from tenant_apps.reconciliation.statements.services import ask_import, receive_statement
from tenant_apps.townhall.models import TownHall
from tenants.models import Town
from tests.backoffice.conftest import HEADER, ROW
from tests.contact.sent_files import pdf, sent, stamp_of
from tests.demo import wait
from toolkit.files.storage import town_key

BODY = "Bonjour,\nun texte que je ne veux pas écrire deux fois."


@dataclass
class Server:
    """An S3 server of this test's own."""

    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Nobody listens any more."""
        self.process.kill()
        self.process.wait()

    def hang(self) -> None:
        """Connections are taken, and nothing is answered."""
        os.kill(self.process.pid, signal.SIGSTOP)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def s3(tmp_path: Path, settings: Any) -> Iterator[Server]:
    port = free_base_port()
    options = configured.STORAGES["documents"]["OPTIONS"]
    (tmp_path / "s3" / options["bucket_name"]).mkdir(parents=True)
    command = [
        *(str(find.script("rclone")), "serve", "s3", str(tmp_path / "s3"), "--addr", f"127.0.0.1:{port}"),
        *("--config", "", "--log-level", "ERROR", "--cache-dir", str(tmp_path / "cache")),
    ]
    keys = f'"{options["access_key"]},{options["secret_key"]}"'
    process = subprocess.Popen(command, env={**os.environ, "RCLONE_AUTH_KEY": keys})
    wait(lambda: _listens(port))
    here = {**options, "endpoint_url": f"http://127.0.0.1:{port}"}
    documents = {**configured.STORAGES["documents"], "OPTIONS": here}
    settings.STORAGES = {**configured.STORAGES, "documents": documents}
    yield Server(process)
    process.kill()
    process.wait()


@dataclass
class Portal:
    """Alice has an invoice with its PDF and a message with a file; a clerk and a manager work."""

    alice: Client
    clerk: Client
    manager: Client
    invoice: str
    message: str
    file: str


@pytest.fixture
def portal(
    s3: Server, town: Town, make_account: Any, make_payer: Any, make_invoice: Any, client_for: Any
) -> Portal:
    people = {
        name: make_account(f"{name}@example.net", role=role)
        for name, role in (("alice", Role.RESIDENT), ("clerk", Role.CLERK), ("manager", Role.MANAGER))
    }
    key = town_key(town.uuid, "invoices", "2026", "a.pdf")
    storages["documents"].save(key, ContentFile(pdf()))
    document = Document.objects.create(key=key, sha256="0" * 64, size=1, pages=1)
    invoice = make_invoice(make_payer(people["alice"]), document=document)
    thread = _thread(people["alice"])
    clients = {name: client_for(person) for name, person in people.items()}
    for client in clients.values():
        client.raise_request_exception = False
    file = thread.attached[0]
    return Portal(**clients, invoice=str(invoice.uuid), message=str(thread.uuid), file=str(file.id))


def _thread(alice: Account) -> Message:
    from tenant_apps.contact.files.attachments import Attachment

    return send_message(
        actor=alice,
        email=alice.email,
        subject="x",
        body="y",
        attachments=[Attachment("a.pdf", "pdf", pdf())],
    )


def said(answer: Any) -> str:
    assert answer.status_code == 503, (answer.status_code, answer.content[:300])
    page = html.unescape(answer.content.decode())
    assert "Traceback" not in page
    return page.replace("\r\n", "\n")


def test_what_is_typed_is_kept(portal: Portal, s3: Server) -> None:
    s3.stop()
    form = {"subject": "Attestation", "body": BODY, "site": "", "stamp": stamp_of(timedelta(minutes=1))}
    page = said(portal.alice.post("/contact/", {**form, "file_1": sent("a.pdf", pdf(2))}))
    assert BODY in page
    assert 'value="Attestation"' in page
    assert "ne peuvent pas être enregistrés pour le moment" in page
    assert portal.alice.post("/contact/", form).status_code == 302  # without a file, nothing is in the way

    path = f"/contact/messages/{portal.message}/"
    key = _key(portal.alice.get(path))
    assert BODY in said(portal.alice.post(path, {"body": BODY, "key": key, "file_1": sent("a.pdf", pdf(2))}))
    assert Message.objects.filter(thread__isnull=False).count() == 0

    path = f"/gestion/messages/{portal.message}/"
    shown = portal.clerk.get(path)
    form = {"body": BODY, "key": _key(shown), "seen": _key(shown, "seen"), "file_1": sent("a.pdf", pdf(2))}
    assert BODY in said(portal.clerk.post(f"{path}repondre/", form))


def _key(answer: Any, name: str = "key") -> str:
    return str(answer.context["form"][name].value())


def test_what_is_sent_is_refused_in_words(portal: Portal, s3: Server) -> None:
    s3.stop()
    logo = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'
    for client, path, files in (
        (portal.manager, "/gestion/reglages/identite/", {"logo": SimpleUploadedFile("l.svg", logo)}),
        (portal.clerk, "/gestion/imports/nouveau/", {"rows": SimpleUploadedFile("x.csv", b"a;b\n1;2\n")}),
        (
            portal.manager,
            "/gestion/rapprochement/nouveau/",
            {"kind": "journal", "file": SimpleUploadedFile("j.csv", b"Date;Montant\n01/10/2026;12,00\n")},
        ),
    ):
        assert "ne peuvent pas être enregistrés pour le moment" in said(client.post(path, files)), path
    assert not Batch.objects.exists()
    assert not Statement.objects.exists()
    assert not TownHall.objects.get().logo


@pytest.mark.parametrize("how", ["stop", "hang"])
def test_what_is_fetched(portal: Portal, s3: Server, how: str, town: Town) -> None:
    TownHall.objects.update(logo=town_key(town.uuid, "identity", "0.png"))
    getattr(s3, how)()
    began = time.monotonic()
    for client, path in (
        (portal.alice, f"/factures/{portal.invoice}/pdf/"),
        (portal.alice, "/factures/2026/factures.zip"),
        (portal.alice, f"/contact/messages/{portal.message}/fichiers/{portal.file}/"),
        (portal.clerk, f"/gestion/factures/{portal.invoice}/pdf/"),
    ):
        answer = client.get(path)
        assert "Les documents ne sont pas accessibles pour le moment" in said(answer), path
        assert answer["Retry-After"] == "60"
    assert time.monotonic() - began < 30  # nobody's thread is held for minutes
    if how == "stop":
        assert portal.alice.get("/logo").status_code == 503
    assert portal.alice.get("/factures/").status_code == 200
    assert portal.alice.get(f"/factures/{portal.invoice}/").status_code == 200


def test_files_that_wait_wait_longer(portal: Portal, s3: Server, town: Town) -> None:
    """An import and a statement: no attempt is counted, and both go on once the storage is back."""
    rows = b"Date;Montant\n12/11/2026;1,00\n"
    sent = io.BytesIO(f"{HEADER}\n{ROW.format(n=1)}".encode())
    batch = create_batch(actor="clerk", rows_file=sent, rows_name="f.csv")
    found, _new = receive_statement(actor="clerk", kind="bank", file=io.BytesIO(rows), name="r.csv")
    statement = ask_import(actor="clerk", statement=found, mapping=found.mapping)
    s3.stop()
    batches.process_waiting()
    reading.process_waiting()
    for row in (batch, statement):
        row.refresh_from_db()
        assert (row.state in ("uploaded", "checking", "reading"), row.attempts) == (True, 0)
        assert row.next_try_at is not None


def test_all_is_well_again(portal: Portal, town: Town) -> None:
    make: Callable[[str], Any] = portal.alice.get
    assert make(f"/factures/{portal.invoice}/pdf/").status_code == 302
    assert make("/factures/2026/factures.zip").status_code == 200
