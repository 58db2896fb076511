"""The files of messages in S3: downloaded only after the access check, never shown in the browser, swept, archived."""

import re
from datetime import timedelta
from types import SimpleNamespace
from urllib.request import urlopen
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.db import DatabaseError
from django.utils import timezone

from tenant_apps.contact import services
from tenant_apps.contact.files import stored as files
from tenant_apps.contact.files.attachments import Attachment
from tenant_apps.contact.models import Message
from tenants.current import current_town
from tenants.models import AgendaItem
from toolkit.files import objects
from toolkit.files.storage import LINK_SECONDS

NOTE = Attachment("Été 1.pdf", "pdf", b"%PDF-1 one")
ANSWER = Attachment("avoir.pdf", "pdf", b"%PDF-1 two")


@pytest.fixture
def with_files(people: SimpleNamespace) -> Message:
    """A message of Alice's with a file, and the town's answer with another."""
    thread = services.send_message(
        actor=people.alice, email=people.alice.email, subject="s", body="b", attachments=[NOTE]
    )
    services.answer_message(
        actor=people.clerk, message=thread, body="a", seen=thread.uuid, key=uuid4(), attachments=[ANSWER]
    )
    return thread


def stored() -> set[str]:
    return {key for key, _size in objects.listed(f"{current_town().uuid}/contact/")}


@pytest.fixture(autouse=True)
def _empty(town: object) -> None:
    for key in stored():
        storages["documents"].delete(key)


def test_a_link_of_five_minutes_that_downloads(browsers: SimpleNamespace, with_files: Message) -> None:
    lines = [with_files, with_files.replies.get()]
    for line, content in zip(lines, (b"%PDF-1 one", b"%PDF-1 two"), strict=True):
        (file,) = line.attached
        for browser, start in ((browsers.alice, "/contact"), (browsers.reader, "/gestion")):
            answer = browser.get(f"{start}/messages/{with_files.uuid}/fichiers/{file.id}/")
            assert answer.status_code == 302
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert "no-store" in answer["Cache-Control"]
            assert f"X-Amz-Expires={LINK_SECONDS}" in answer["Location"]
            with urlopen(answer["Location"]) as got:
                assert got.read() == content
                assert got.headers["Content-Type"] == "application/pdf"
                assert re.fullmatch(
                    r'attachment; filename="[a-z0-9-]+\.pdf"', got.headers["Content-Disposition"]
                )


def test_forbidden_reads_like_absent(browsers: SimpleNamespace, with_files: Message) -> None:
    file = with_files.attached[0].id
    other = services.send_message(actor=None, email="x@example.net", subject="s", body="b")
    for browser, path in (
        (browsers.bob, f"/contact/messages/{with_files.uuid}/fichiers/{file}/"),
        (browsers.alice, f"/contact/messages/{other.uuid}/fichiers/{file}/"),
        (browsers.alice, f"/contact/messages/{with_files.uuid}/fichiers/{uuid4()}/"),
        (browsers.alice, f"/gestion/messages/{with_files.uuid}/fichiers/{file}/"),
        (browsers.clerk, f"/gestion/messages/{other.uuid}/fichiers/{file}/"),
    ):
        assert browser.get(path).status_code == 404, path
    assert browsers.nobody.get(f"/contact/messages/{with_files.uuid}/fichiers/{file}/").status_code == 302


def test_stored_before_the_row_and_once(people: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a crash in between, the same form sent again finds its file: stored once, none left over."""
    public_id = uuid4()

    def send() -> None:
        services.send_message(
            actor=people.alice, email=people.alice.email, subject="s", body="b",
            attachments=[NOTE, NOTE], public_id=public_id,
        )  # fmt: skip

    with monkeypatch.context() as killed:
        killed.setattr(services, "_mail_to_the_service", _die)
        with pytest.raises(DatabaseError):
            send()
    assert not Message.objects.exists()
    before = stored()
    assert len(before) == 1
    assert AgendaItem.objects.filter(kind=files.KIND, town_id=current_town().pk).exists()
    send()
    send()
    assert stored() == before == {files.key_of(one) for one in Message.objects.get().attached}


def _die(message: Message) -> None:
    raise DatabaseError("the server closed the connection")


def test_the_sweep_takes_old_orphans_only(with_files: Message, monkeypatch: pytest.MonkeyPatch) -> None:
    named = stored()
    files.store(uuid4(), [NOTE])  # of a message that does not exist
    files.store(with_files.uuid, [ANSWER])  # of a message that does not name it
    assert len(stored()) == len(named) + 2
    assert files.sweep() == 0  # too young: their rows may still be written
    assert files.next_sweep() is not None
    monkeypatch.setattr(files, "YOUNG", timedelta(0))
    assert files.sweep() == 2
    assert stored() == named
    assert files.sweep() == 0


def test_a_town_without_young_files_is_left_alone(
    with_files: Message, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = timezone.now() + timedelta(days=2)
    assert files.next_sweep() is not None
    monkeypatch.setattr(timezone, "now", lambda: later)
    assert files.next_sweep() is None
