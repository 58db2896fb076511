"""The parts, real and broken: each has its own state, and a silent one costs three seconds at most."""

import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from shared_apps.console.watch import health
from tenants import tasks
from tenants.models import AgendaItem, Town
from tenants.work import agenda, heartbeat


def states() -> dict[str, health.Part]:
    return {part.name: part for part in health.parts()}


@pytest.fixture
def silence() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_real_parts_answer(db: None) -> None:
    found = states()
    for name in ("PostgreSQL", "Redis", "Fichiers (S3)", "PayFiP"):
        assert found[name].state == "ok", found[name]


def test_the_worker_and_beat(db: None) -> None:
    assert "jamais vus" in states()["Tâches de fond"].words
    tasks.run_agenda()
    assert states()["Tâches de fond"].state == "ok"
    cache.set(heartbeat.KEY, (datetime.now(UTC) - timedelta(minutes=7)).timestamp())
    part = states()["Tâches de fond"]
    assert part.state == "bad"
    assert "7 min" in part.words


def test_mail(db: None, settings: Any, silence: int) -> None:
    assert states()["Envoi des courriels"].state == "unknown"  # the tests' own back end sends by no relay
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    assert states()["Envoi des courriels"].state == "ok"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", silence
    assert states()["Envoi des courriels"].state == "bad"


def test_a_silent_part_is_named_and_does_not_hold_the_page(
    db: None, console: Client, settings: Any, silence: int
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{silence}/0"
    settings.PAYFIP_SERVICE_URL = f"http://127.0.0.1:{silence}/"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", silence
    begun = time.monotonic()
    page = console.get("/").content.decode()
    assert time.monotonic() - begun < health.DEADLINE + 15
    assert page.count("✗ en panne") >= 3
    assert states()["PostgreSQL"].state == "ok"


def test_s3_refuses_our_keys(db: None, settings: Any) -> None:
    from copy import deepcopy

    wrong = deepcopy(settings.STORAGES)
    wrong["documents"]["OPTIONS"]["secret_key"] = "wrong"
    settings.STORAGES = wrong
    assert states()["Fichiers (S3)"].state == "bad"


def test_work_that_is_long_due_is_said(live_town: Town) -> None:
    AgendaItem.objects.all().delete()  # what the setting up of the session's towns has planned
    assert states()["PostgreSQL"].state == "ok"
    agenda.plan("mail", timezone.now() - timedelta(minutes=10))
    part = states()["PostgreSQL"]
    assert part.state == "bad"
    assert "attend depuis 10 min" in part.words
    AgendaItem.objects.filter(town=live_town).delete()
