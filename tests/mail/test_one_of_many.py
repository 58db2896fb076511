"""One message that cannot be sent fails alone, with a reason. All others are sent once, whatever error is raised."""

import smtplib
from collections.abc import Callable
from typing import Any

import pytest
import requests
from anymail import exceptions as anymail
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from shared_apps.audit.models import AuditEntry
from shared_apps.mail import services as outbox
from shared_apps.mail.content import Content
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from shared_apps.mail.sending import delivery
from shared_apps.mail.sending.delivery import BACK_OFF, IN_A_ROW, deliver_outbox
from shared_apps.mail.sending.problems import diagnose
from tenant_apps.townhall.queries import letterhead
from tenants.models import Town
from tests.mail.test_outbox import catcher, caught, queue
from toolkit import emails

__all__ = ["catcher", "queue"]  # fixtures
pytestmark = [pytest.mark.xdist_group("smtp"), pytest.mark.usefixtures("town", "catcher")]

Queue = Callable[..., OutgoingMail]


def states() -> list[tuple[str, str, int]]:
    return list(OutgoingMail.objects.order_by("id").values_list("state", "problem", "tries"))


def break_in(mail: OutgoingMail, **fields: str) -> None:
    """Write a message that no service of ours would write: only the database's own rules apply."""
    with connection.cursor() as cursor:
        if "to" in fields:
            cursor.execute("ALTER TABLE mail_outgoingmail DROP CONSTRAINT mail_to_normal")
        for name, value in fields.items():
            cursor.execute(f'UPDATE mail_outgoingmail SET "{name}" = %s WHERE id = %s', [value, mail.pk])


@pytest.mark.parametrize(
    "fields",
    [
        {"to": "a@" + "é" * 70 + ".fr"},  # as one anonymous post could write it
        {"to": "a\nBcc: b@example.net@example.net"},
        {"subject": "Bonjour\nBcc: charlie@example.net"},
        {"unsubscribe_url": "https://exemple.fr/\r\nX: y"},
    ],
    ids=["long-label", "line-in-address", "line-in-subject", "line-in-header"],
)
def test_a_message_that_cannot_be_written_fails_alone(queue: Queue, fields: dict[str, str]) -> None:
    rows = [queue(f"one{n}-{abs(hash(str(fields)))}@example.net") for n in range(3)]
    break_in(rows[1], **fields)
    assert deliver_outbox() >= 2
    rows[1].refresh_from_db()
    assert [state for state, *_more in states()][::2] == [MailState.SENT, MailState.SENT]
    assert (rows[1].state, rows[1].problem) == (MailState.FAILED, MailProblem.CONTENT)
    assert rows[1].last_error
    assert AuditEntry.objects.filter(verb="mail.failed", object=f"mail:{rows[1].uuid}").count() == 1
    assert deliver_outbox() == 0  # it is not tried again
    assert not OutgoingMail.objects.filter(maybe_twice=True).exists()
    for row in rows[::2]:
        assert len(caught(row.to)) == 1
    assert not caught("charlie@example.net")
    assert not caught("b@example.net")


@pytest.mark.parametrize(
    "raised",
    [
        anymail.AnymailAPIError("the provider's own", status_code=500),
        anymail.AnymailRecipientsRefused("x"),
        anymail.AnymailSerializationError("x"),
        anymail.AnymailUnsupportedFeature("x"),
        UnicodeEncodeError("ascii", "é", 0, 1, "x"),
        ValueError("x"),
        KeyError("x"),
        RuntimeError("\x00"),
        RecursionError(),
        requests.ConnectionError("x"),
        smtplib.SMTPSenderRefused(550, b"x", "a@b.fr"),
        smtplib.SMTPServerDisconnected("x"),
        OSError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_a_library_raises_is_that_message_s(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, raised: Exception
) -> None:
    rows = [queue(f"lib{n}@example.net") for n in range(3)]
    really = EmailMessage.send

    def send(message: EmailMessage, fail_silently: bool = False) -> int:
        if message.to == [rows[1].to]:
            raise raised
        return int(really(message, fail_silently))

    monkeypatch.setattr(EmailMessage, "send", send)
    assert deliver_outbox() == 2
    rows[1].refresh_from_db()
    assert rows[1].state in (MailState.QUEUED, MailState.FAILED)
    assert (rows[1].tries, rows[1].maybe_twice) == (1, False)
    assert rows[1].problem
    assert type(raised).__name__ in rows[1].last_error
    assert deliver_outbox() == 0
    if rows[1].state == MailState.QUEUED:
        monkeypatch.undo()
        OutgoingMail.objects.update(next_try_at=timezone.now())
        assert deliver_outbox() == 1
        rows[1].refresh_from_db()
        assert (rows[1].state, rows[1].problem, rows[1].maybe_twice) == (MailState.SENT, "", False)


def test_a_backend_that_cannot_even_be_made(queue: Queue, settings: Any) -> None:
    settings.EMAIL_BACKEND = "anymail.backends.brevo.EmailBackend"  # without its API key
    queue("nokey@example.net")
    assert deliver_outbox() == 0
    assert states() == [(MailState.QUEUED, MailProblem.US, 1)]


def test_a_backend_that_takes_nothing_and_says_nothing(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    queue("silent@example.net")
    monkeypatch.setattr(EmailMessage, "send", lambda message, fail_silently=False: 0)
    assert deliver_outbox() == 0
    assert states() == [(MailState.QUEUED, MailProblem.OTHER, 1)]


# --- unusual servers, for real --------------------------------------------------------------------------


def test_a_server_that_refuses_each_message(queue: Queue, catcher: Callable[[str], None]) -> None:
    queue("full1@example.net"), queue("full2@example.net")
    catcher("full")
    assert deliver_outbox() == 0
    assert states() == [(MailState.QUEUED, MailProblem.REFUSED, 1)] * 2
    assert not OutgoingMail.objects.filter(maybe_twice=True).exists()
    assert "552" in OutgoingMail.objects.all()[0].last_error


def test_a_server_that_hangs_up_instead_of_answering(queue: Queue, catcher: Callable[[str], None]) -> None:
    """The server may have kept the message: what is sent again is marked, and only that."""
    queue("drop@example.net")
    catcher("drop")
    assert deliver_outbox() == 0
    assert states() == [(MailState.QUEUED, MailProblem.SERVER, 1)]
    catcher("ok")
    queue("after@example.net")
    OutgoingMail.objects.update(next_try_at=timezone.now())
    assert deliver_outbox() == 2
    assert OutgoingMail.objects.get(maybe_twice=True).to == "drop@example.net"


def test_no_server_stops_the_run_and_costs_the_others_no_try(
    queue: Queue, catcher: Callable[[str], None]
) -> None:
    for n in range(IN_A_ROW + 4):
        queue(f"down{n}@example.net")
    catcher("down")
    assert deliver_outbox() == 0
    assert [tries for *_more, tries in states()] == [1] * IN_A_ROW + [0] * 4
    catcher("ok")
    OutgoingMail.objects.update(next_try_at=timezone.now())
    assert deliver_outbox() == IN_A_ROW + 4
    assert not OutgoingMail.objects.filter(maybe_twice=True).exists()


def test_a_killed_worker_leaves_one_message_in_doubt_and_not_its_batch(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(4):
        queue(f"killed{n}@example.net")

    class Killed(BaseException):
        """The death of the worker: no code catches it."""

    def die(message: EmailMessage, fail_silently: bool = False) -> int:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(EmailMessage, "send", die)
        with pytest.raises(Killed):
            deliver_outbox()
    assert [state for state, *_more in states()] == [MailState.SENDING] + [MailState.QUEUED] * 3
    OutgoingMail.objects.update(next_try_at=timezone.now())
    assert deliver_outbox() == 4
    assert list(OutgoingMail.objects.filter(maybe_twice=True).values_list("to", flat=True)) == [
        "killed0@example.net"
    ]


def test_one_that_kills_the_worker_each_time_has_an_end(queue: Queue) -> None:
    queue("deadly@example.net")
    OutgoingMail.objects.update(state=MailState.SENDING, tries=len(BACK_OFF) + 1, next_try_at=timezone.now())
    assert deliver_outbox() == 0
    assert states() == [(MailState.FAILED, MailProblem.CUT, len(BACK_OFF) + 2)]


def test_a_connection_is_made_anew_once_in_a_while(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    really = delivery.get_connection

    def count() -> Any:
        made.append(1)
        return really()

    monkeypatch.setattr(delivery, "get_connection", count)
    monkeypatch.setattr(delivery, "PER_CONNECTION", 2)
    for n in range(5):
        queue(f"many{n}@example.net")
    assert deliver_outbox() == 5
    assert len(made) == 3


# --- what cannot be sent is refused when it is queued ---------------------------------------------------


@pytest.mark.parametrize(
    "to", ["élise@exemple.fr", "a@b", "", "lisa@gmaıl.com", "x@y.fr\nBcc: z@y.fr", "\ud800@y.fr"]
)
def test_an_address_that_cannot_be_written_to_is_refused_at_once(town: Town, to: str) -> None:
    content = Content(subject="Bonjour", sentence="Une phrase.", why="Parce que.")
    with pytest.raises(emails.BadAddress):
        outbox.queue(outbox.compose(kind="test", to=to, content=content, letterhead=letterhead()))
    with pytest.raises(emails.BadAddress):
        outbox.compose(
            kind="test", to="a@example.net", reply_to=to or " ", content=content, letterhead=letterhead()
        )
    assert not OutgoingMail.objects.exists()


def test_signs_that_no_message_may_hold_are_replaced(town: Town) -> None:
    odd = "Bon\r\nBcc: x@example.net\x00\ud800 jour\x1b"
    town.name = "Mairie\r\nX-Evil: 1"
    content = Content(subject=odd, sentence=odd, why=odd, more=(odd,))
    mail = outbox.queue(
        outbox.compose(kind="test", to="odd@example.net", content=content, letterhead=letterhead())
    )
    assert mail is not None
    assert deliver_outbox() == 1
    (got,) = caught("odd@example.net")
    assert got["subject"] == "Bon Bcc: x@example.net\ufffd\ufffd jour\ufffd"
    assert "\x00" not in got["text"] + got["html"]
    assert "jour" in got["text"]
    assert not caught("x@example.net")
    assert "Mairie X-Evil: 1" in got["from"]


def test_every_problem_has_its_words_and_every_error_a_problem() -> None:
    for problem in MailProblem:
        assert str(problem.label)
    for status, problem in ((401, "us"), (429, "later"), (400, "refused"), (503, "server")):
        error = anymail.AnymailAPIError("x")
        error.status_code = status
        assert diagnose(error, None).problem == problem
