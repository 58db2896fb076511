"""kill -9 in the middle of restoring and of erasing: no half town is served, and asking again ends right."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from tenants.current import REGISTRY, in_shard
from tenants.databases import direct
from tenants.errors import TownExists
from tenants.life import services
from tenants.models import Erasure, Operation, OperationState, Town
from tenants.states import TownState
from tenants.work import operations
from tests.demo import wait
from tests.services import ROOT
from tests.tenants.conftest import MakeTown
from tests.tenants.databases import environment
from tests.tenants.world import answer_of, files_of, whole

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300)]


@contextmanager
def held(statement: str) -> Iterator[None]:
    """Somebody else's transaction holds a lock that the work will need."""
    with direct.connect(REGISTRY, "public") as server:
        server.execute(statement)  # type: ignore[arg-type]
        yield


def blocked() -> bool:
    """Whether somebody waits for a lock in this database."""
    with direct.open_to(REGISTRY) as server:
        return bool(
            server.execute(
                "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            ).fetchone()
        )


def killed_at(
    step: str, *command: str, while_there: Callable[[], None], once: Callable[[], bool] = blocked
) -> None:
    """Run a command of manage.py in a process of its own and kill it -9 at the step `step`, `once` that is true."""
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", str(ROOT / "manage.py"), *command],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith(step):
            wait(once)
            while_there()
            break
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(90) == -signal.SIGKILL, "".join(said)
    process.stderr.close()


def left(slug: str) -> Operation:
    with in_shard(REGISTRY):
        return Operation.objects.filter(subject=slug).latest("pk")


def gone(town: Town, path: Path) -> None:
    call_command("export_town", town.slug, "--to", str(path))
    services.set_state(town=town, to=TownState.SUSPENDED)
    call_command("erase_town", town.slug, "--reason", "Essai", "--yes", stdout=StringIO())


def test_restoring(make_town: MakeTown, tmp_path: Path) -> None:
    town, path = make_town(invoices=60), tmp_path / "town.zip"
    before = whole(town)
    gone(town, path)

    def seen() -> None:
        assert answer_of(town.slug) == 404

    with held("LOCK TABLE treasury_route IN SHARE ROW EXCLUSIVE MODE"):  # the rows are loaded, not committed
        killed_at("Dépôt des lignes", "restore_town", str(path), while_there=seen)
    half = Town.objects.get(slug=town.slug)
    assert (half.state, answer_of(town.slug)) == (TownState.OPENING, 404)
    assert left(town.slug).state == OperationState.RUNNING

    with pytest.raises(TownExists, match="à moitié remise"):  # it is no opening to be taken up
        services.open_town(slug=town.slug, name="Autre")

    def some_files() -> bool:
        return bool(files_of(town.uuid))

    # Should it be quick, the lock stops it at the last step, which says that the town may be seen.
    with held(f"SELECT 1 FROM tenants_town WHERE id = {half.pk} FOR NO KEY UPDATE"):
        killed_at("Dépôt des fichiers", "restore_town", str(path), while_there=seen, once=some_files)
    assert files_of(town.uuid)
    assert answer_of(town.slug) == 404

    # The worker finds it by itself.
    operation = left(town.slug)
    Operation.objects.filter(pk=operation.pk).update(due_at=timezone.now())
    done = operations.perform(operation.pk)
    assert (done.state, done.error) == (OperationState.DONE, "")
    assert whole(Town.objects.get(slug=town.slug)) == before
    assert answer_of(town.slug) == 200


def test_erasing(make_town: MakeTown, tmp_path: Path) -> None:
    town, neighbour = make_town(invoices=5), make_town(invoices=1)
    others = whole(neighbour)
    services.set_state(town=town, to=TownState.SUSPENDED)
    command = ("erase_town", town.slug, "--reason", "Essai", "--yes")

    def seen() -> None:
        assert answer_of(town.slug) == 404

    with held(f"LOCK TABLE {town.schema_name}.accounts_account IN ACCESS SHARE MODE"):
        killed_at("Effacement du schéma", *command, while_there=seen)
    assert Town.objects.get(slug=town.slug).state == TownState.CLOSED
    assert answer_of(town.slug) == 404
    with held(f"SELECT 1 FROM tenants_town WHERE id = {town.pk} FOR UPDATE"):  # all is destroyed but the row
        killed_at("Effacement du cache", *command, while_there=seen)
    assert not files_of(town.uuid)
    assert not Erasure.objects.filter(town_uuid=town.uuid).exists()
    assert answer_of(town.slug) == 404

    call_command(*command, stdout=StringIO())
    certificate = Erasure.objects.get(town_uuid=town.uuid)
    assert (
        certificate.counts["objects"] == 6
    )  # counted before the first kill, though they went before the last
    assert certificate.counts["tables"]["invoices_invoice"] == 5
    assert not Town.objects.filter(slug=town.slug).exists()
    assert answer_of(town.slug) == 404
    assert operations.perform(left(town.slug).pk).state == OperationState.DONE
    assert Erasure.objects.filter(town_uuid=town.uuid).count() == 1
    assert whole(neighbour) == others
