"""kill -9 in the middle of a move, at each step; then the command again, or the sweep alone, ends right."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connections
from django.utils import timezone
from django_tenants.utils import tenant_context

from sandbox.home import REPOSITORY
from tenants.current import REGISTRY, in_shard, leave
from tenants.databases import direct
from tenants.models import Operation, OperationState, Town
from tenants.work import agenda, operations
from tests.shards.conftest import SOUTH, Cluster, add_account, browser, schemas
from tests.tenants.world import text_of

pytestmark = [pytest.mark.xdist_group("shards"), pytest.mark.faults]
PREPARING = "Préparation de la nouvelle base"
COPYING = "Copie des lignes"
SETTLING = "Les autres serveurs apprennent la nouvelle adresse"


@dataclass(frozen=True)
class Kill:
    """Killed when it says `at`. From the moment it says `held_from` the test holds `lock`, so that it stays there."""

    at: str
    lock: str = ""
    held_from: str = ""
    lives: str = REGISTRY
    cache_seconds: int = 0


KILLS = {
    "held": Kill("Passage en lecture seule", cache_seconds=60),
    "closing": Kill(
        "Attente de la fin des écritures en cours",
        'LOCK TABLE "{schema}".residents_payer IN ROW EXCLUSIVE MODE',
        "before",
    ),
    "copying": Kill(COPYING, 'LOCK TABLE "{schema}".residents_payer IN ACCESS EXCLUSIVE MODE', PREPARING),
    "before the switch": Kill(
        "Bascule vers la nouvelle base",
        "SELECT 1 FROM public.tenants_town WHERE schema_name = '{schema}' FOR UPDATE",
        COPYING,
    ),
    "after the switch": Kill(SETTLING, lives=SOUTH, cache_seconds=10),
    "before the drop": Kill(
        "Effacement de l'ancienne copie",
        'LOCK TABLE "{schema}".residents_payer IN ACCESS SHARE MODE',
        SETTLING,
        lives=SOUTH,
    ),
}


@pytest.fixture
def town(open_at: Callable[[str], Town]) -> Town:
    found = open_at(REGISTRY)
    add_account(found, "alice@example.net")
    with tenant_context(found):
        agenda.plan("payments", timezone.now())
    return found


def environment(south: Cluster, kill: Kill) -> dict[str, str]:
    """Of a process that sees the test's own databases."""
    database = connections.settings[REGISTRY]
    place = "{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    return {
        **os.environ,
        "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}",
        "DATABASE_URL": f"postgresql://{place}",
        "SHARD_URLS": f"{SOUTH}={south.url}",
        "MOVED_ROWS_SECONDS": "0",
        "TOWN_CACHE_SECONDS": str(kill.cache_seconds),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def holding(statement: str) -> Iterator[None]:
    with direct.open_to(REGISTRY) as server, server.transaction(force_rollback=True):
        server.execute(statement)
        yield


def kill_a_move(town: Town, south: Cluster, kill: Kill) -> list[str]:
    """What it said before it died."""
    said: list[str] = []
    lock = kill.lock.format(schema=town.schema_name)
    with ExitStack() as held:
        locked = kill.held_from == "before"
        if locked:
            held.enter_context(holding(lock))
        process = subprocess.Popen(
            [sys.executable, str(REPOSITORY / "manage.py"), "move_town", town.slug, "--to", SOUTH],
            env=environment(south, kill),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout
        for line in process.stdout:
            said.append(line.strip())
            if lock and not locked and said[-1].startswith(kill.held_from):
                locked = True
                held.enter_context(holding(lock))
            if said[-1].startswith(kill.at):
                process.kill()
                break
        process.wait(90)
        process.stdout.close()
    return said


def sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """What beat and the worker do, half a minute later."""
    Operation.objects.update(due_at=timezone.now())
    monkeypatch.setattr(agenda, "hint", lambda task, *args: task.apply(args))
    assert operations.sweep() == 1


@pytest.mark.parametrize("moment", KILLS)
def test_ends_right(
    town: Town, south: Cluster, moment: str, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    kill = KILLS[moment]
    rows = text_of(town.schema_name)
    said = kill_a_move(town, south, kill)
    assert said[-1].startswith(kill.at), said

    found = Town.objects.get(pk=town.pk)
    assert found.shard == kill.lives
    assert text_of(town.schema_name, kill.lives) == rows  # whole where it is served from
    page = browser(town).get("/contact/")
    assert page.status_code == 200
    assert found.name in page.content.decode()
    if moment != "before the drop":
        assert browser(town).post("/", {"email": "alice@example.net", "password": "x"}).status_code == 503

    leave()
    if moment in ("held", "copying", "after the switch"):
        sweep(monkeypatch)
    else:
        call_command("move_town", town.slug, to=SOUTH)
    operation = Operation.objects.get(subject=town.slug)
    assert (operation.state, operation.attempts) == (OperationState.DONE, 2)
    found.refresh_from_db()
    assert (found.shard, found.read_only_since) == (SOUTH, None)
    assert town.schema_name not in schemas(REGISTRY)
    assert text_of(town.schema_name, SOUTH) == rows
    with in_shard(SOUTH):
        kinds = set(found.agenda.values_list("kind", flat=True))
        assert "payments" in kinds
        assert "leftovers" not in kinds
    with in_shard(REGISTRY):
        assert not found.agenda.exists()
    assert browser(town, "alice@example.net").get("/factures/").status_code == 200
