"""Export → erase → restore: the same rows and files, byte for byte, while the neighbours go on."""

import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.mail.models import MailState, OutgoingMail
from tenant_apps.contact.files.attachments import Attachment
from tenant_apps.contact.files.stored import key_of, store
from tenant_apps.contact.models import Message
from tenant_apps.invoices.models import Document
from tenants import facts
from tenants.archive import exporting, restoring
from tenants.current import REGISTRY, in_shard
from tenants.life import services
from tenants.models import Domain, DomainKind, Erasure, Operation, OperationState, Town
from tenants.schema import versions
from tenants.shards import rows
from tenants.states import TownState
from tenants.work import operations
from tests.tenants.conftest import MakeTown
from tests.tenants.schemas import description
from tests.tenants.world import answer_of, files_of, text_of, whole
from toolkit.files import objects


def erase(town: Town) -> Erasure:
    services.set_state(town=town, to=TownState.SUSPENDED)
    call_command("erase_town", town.slug, "--reason", "Fin du contrat", "--yes", stdout=StringIO())
    return Erasure.objects.get(town_uuid=town.uuid)


@contextmanager
def at_work(town: Town) -> Iterator[list[str]]:
    """Another town writes all along, over its own connection; what it wrote and what went wrong."""
    written: list[str] = []
    failed: list[BaseException] = []
    over = threading.Event()

    def work() -> None:
        try:
            while not over.is_set():
                with tenant_context(town):
                    address = f"neighbour{len(written)}@example.net"
                    Account.objects.create(email=address)
                    written.append(address)
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield written
    finally:
        over.set()
        thread.join()
    assert not failed


def test_the_same_rows_and_files_while_a_neighbour_works_on(make_town: MakeTown, tmp_path: Path) -> None:
    town, neighbour = make_town(), make_town(invoices=1)
    with in_shard(REGISTRY):
        Domain.objects.create(
            tenant=town, domain=f"old-{town.slug}.localhost", kind=DomainKind.FORMER, is_primary=False
        )
    before, others_files = whole(town), files_of(neighbour.uuid)
    path = tmp_path / "town.zip"
    with at_work(neighbour) as written:
        call_command("export_town", town.slug, "--to", str(path))
        erase(town)
        assert answer_of(town.slug) == 404
        assert not files_of(town.uuid)
        assert not rows.has_schema(REGISTRY, town.schema_name)
        call_command("restore_town", str(path))
    back = Town.objects.get(slug=town.slug)
    assert whole(back) == before
    assert (back.state, answer_of(town.slug)) == (TownState.OPEN, 200)
    assert path.stat().st_mode & 0o077 == 0
    assert len(written) > 20
    with tenant_context(neighbour):
        assert set(written) <= set(Account.objects.values_list("email", flat=True))
    assert files_of(neighbour.uuid) == others_files
    with tenant_context(back):  # its sequences and triggers go on
        assert Account.objects.create(email="new@example.net").pk == 2
    with pytest.raises(CommandError, match="existe"):
        call_command("restore_town", str(path))


def test_a_copy_beside_the_living_town_has_its_own_files_and_says_nothing(
    archived: tuple[Town, Path],
) -> None:
    town, path = archived
    before = whole(town)
    slug = f"{town.slug}-copie"
    call_command("restore_town", str(path), "--slug", slug)
    copy = Town.objects.get(slug=slug)
    assert copy.uuid != town.uuid
    assert (copy.state, answer_of(slug)) == (TownState.SUSPENDED, 503)
    assert whole(town) == before
    ours, theirs = text_of(town.schema_name), text_of(copy.schema_name)
    renamed = {str(town.uuid).encode(): str(copy.uuid).encode()}
    for name in ("invoices_document", "invoices_batch"):
        for old, new in renamed.items():
            assert ours[name].replace(old, new) == theirs[name] != ours[name]
    assert theirs["invoices_invoice"] == ours["invoices_invoice"]
    assert [h for _k, h in sorted(files_of(copy.uuid).items())] == [
        h for _k, h in sorted(files_of(town.uuid).items())
    ]
    with tenant_context(copy):
        assert all(
            objects.bucket().Object(key).get() for key in Document.objects.values_list("key", flat=True)
        )
        assert OutgoingMail.objects.get().state == MailState.FAILED  # the original sends it
    with tenant_context(town):
        assert OutgoingMail.objects.get().state == MailState.QUEUED
    call_command("resume_town", slug)
    assert answer_of(slug) == 200


def test_what_others_wrote_into_a_folder_stops_no_export_and_goes_with_the_town(
    make_town: MakeTown, tmp_path: Path
) -> None:
    """They choose the names; the archive leaves the folder out, and says so."""
    town = make_town(invoices=1)
    for name in ("octobre.csv", "a\\b é «.csv", "..csv"):
        objects.bucket().put_object(Key=f"{town.uuid}/inbox/{town.uuid}/{name}", Body=b"x")
    path = tmp_path / "town.zip"
    call_command("export_town", town.slug, "--to", str(path))
    with zipfile.ZipFile(path) as archive:
        assert not [name for name in archive.namelist() if "inbox/" in name]
        assert b"a copy of a file under imports/" in archive.read("manifest.json")
    erase(town)
    assert not files_of(town.uuid)


def test_files_joined_to_messages_go_where_their_town_goes(make_town: MakeTown, tmp_path: Path) -> None:
    """Out, in a copy under the copy's own UUID, gone with the erased town, and back."""
    town = make_town(invoices=1)
    with tenant_context(town):
        message = Message.objects.create(
            email="a@example.net", subject="s", body="b", sent_to="r@example.net"
        )
        message.files = [file.row() for file in store(message.uuid, [Attachment("a.pdf", "pdf", b"%PDF-")])]
        message.save()
    before, path = whole(town), tmp_path / "town.zip"
    call_command("export_town", town.slug, "--to", str(path))
    call_command("restore_town", str(path), "--slug", f"{town.slug}-copie")
    copy = Town.objects.get(slug=f"{town.slug}-copie")
    with tenant_context(copy):
        (file,) = Message.objects.get().attached
        assert key_of(file).startswith(f"{copy.uuid}/contact/")
        assert b"".join(objects.read(key_of(file))) == b"%PDF-"
    erase(town)
    assert not files_of(town.uuid)
    call_command("restore_town", str(path))
    assert whole(Town.objects.get(slug=town.slug)) == before


def test_from_an_older_version_of_the_schema(make_town: MakeTown, tmp_path: Path) -> None:
    town = make_town()
    older = without("payments.0002_guards", "reconciliation.0001_initial", "contact.0001_initial")
    with in_shard(REGISTRY):
        rows.drop_schema(town.schema_name)
        Town.objects.filter(pk=town.pk).update(schema_version=rows.make_schema(town.schema_name, older))
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {town.schema_name}.residents_payeremail SELECT 1, 'a@example.net', 1 WHERE false"
            )
            cursor.execute(
                f"INSERT INTO {town.schema_name}.django_session VALUES ('k', 'x', now());"
                f"INSERT INTO {town.schema_name}.audit_entry (at, actor, verb, object, old, new) "
                "VALUES (now(), 'system', 'of.old', '', '{}', '{}')"
            )
    before = text_of(town.schema_name)
    path = tmp_path / "old.zip"
    call_command("export_town", town.slug, "--to", str(path))
    erase(town)
    call_command("restore_town", str(path))
    back = Town.objects.get(slug=town.slug)
    assert back.schema_version == versions.wanted().version != versions.version_of(older)
    after = text_of(back.schema_name)
    assert after["audit_entry"] == before["audit_entry"]
    fresh = make_town(invoices=1)
    assert description(back.schema_name) == description(fresh.schema_name)


def without(*names: str) -> set[str]:
    """The migrations of today less these and all that need them."""
    left = dict.fromkeys(names)
    for migration in versions.wanted().migrations:
        if any(f"{app}.{name}" in left for app, name in migration.dependencies):
            left[versions.name_of(migration)] = None
    return set(versions.wanted().names) - set(left)


def test_closed_towns_come_back_suspended(archived: tuple[Town, Path], tmp_path: Path) -> None:
    town, _open_one = archived
    services.set_state(town=town, to=TownState.SUSPENDED)
    path = tmp_path / "suspended.zip"
    call_command("export_town", town.slug, "--to", str(path))
    erase(town)
    out = StringIO()
    call_command("restore_town", str(path), "--slug", f"{town.slug}-n", stdout=out)
    assert "resume_town" in out.getvalue()
    back = Town.objects.get(slug=f"{town.slug}-n")
    assert (back.uuid, back.state) == (town.uuid, TownState.SUSPENDED)  # no copy: the town itself, renamed
    former = Domain.objects.get(tenant=back, domain=f"{town.slug}.localhost")
    assert (former.kind, former.is_primary) == (DomainKind.FORMER, False)


def test_a_document_without_its_file_is_named(archived: tuple[Town, Path], tmp_path: Path) -> None:
    town, path = archived
    with tenant_context(town):
        key = Document.objects.first().key  # type: ignore[union-attr]
    objects.bucket().Object(key).delete()
    with pytest.raises(CommandError, match=key):
        call_command("export_town", town.slug, "--to", str(tmp_path / "never.zip"))
    assert not (tmp_path / "never.zip").exists()
    assert not (tmp_path / "never.zip.part").exists()
    with pytest.raises(CommandError, match="--overwrite"):
        call_command("export_town", town.slug, "--to", str(path))


def test_left_out_is_said_in_the_manifest(archived: tuple[Town, Path]) -> None:
    _town, path = archived
    with zipfile.ZipFile(path) as archive:
        assert "rows/django_session.copy" not in archive.namelist()
        assert '"django_session": "whoever is signed in' in archive.read("manifest.json").decode()


def test_asked_at_the_console_it_waits_in_s3_and_expires(make_town: MakeTown, tmp_path: Path) -> None:
    town = make_town()
    asked = exporting.request_export(town=town, actor=facts.SYSTEM)
    done = operations.perform(asked.pk)
    assert done.state == OperationState.DONE, done.error
    kept = tmp_path / "fetched.zip"
    with kept.open("wb") as file:
        assert objects.fetch(done.result["key"], file) == done.result["sha256"]
    assert kept.stat().st_size == done.result["size"]
    assert not done.result["key"].startswith(str(town.uuid))
    assert "X-Amz-Expires=300" in exporting.link_to(done)
    before = whole(town)
    copy = restoring.request_restore(export=done, slug=f"{town.slug}-c", actor=facts.SYSTEM)
    assert operations.perform(copy.pk).state == OperationState.DONE
    assert whole(town) == before
    assert exporting.sweep() == 0
    assert exporting.sweep(done.due_at) == 1
    assert exporting.sweep(done.due_at) == 0
    assert next(objects.listed(done.result["key"]), None) is None
    with pytest.raises(exporting.TownError, match="n'est plus"):
        exporting.link_to(Operation.objects.get(pk=done.pk))


def test_an_export_to_a_file_that_another_process_finds_is_ended(make_town: MakeTown) -> None:
    town = make_town(invoices=1)
    left = operations.request(
        kind="export",
        subject=town.slug,
        town=town,
        actor="system",
        arguments={"town": str(town.uuid), "file": "/x"},
    )
    ended = operations.perform(left.pk)
    assert (ended.state, "relancez" in ended.error) == (OperationState.FAILED, True)
