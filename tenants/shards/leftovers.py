"""What a town leaves in databases where it no longer lives, or where a move was interrupted."""

import logging

from django.db import OperationalError, connection

from tenants.current import PUBLIC, REGISTRY, at, homes
from tenants.databases import direct, mirrors
from tenants.models import LIVE, Town
from tenants.shards import public_rows, rows

log = logging.getLogger(__name__)


def carry(town: Town) -> bool:
    """Copy the town's rows from the other databases' public schemas to its own. False when one does not answer.

    Existing rows of its own database stay as they are. The others keep their rows until `clear`.
    """
    answered = True
    for home in _elsewhere(town):
        try:
            _carry_from(home, town)
        except OperationalError:
            log.warning("the database %s does not answer; what %s left there stays", home, town.slug)
            answered = False
    return answered


def clear(town: Town) -> bool:
    """Drop what the town left elsewhere. False when something remains: a silent database, or a running operation."""
    with direct.connect(REGISTRY, PUBLIC) as server:
        # Locked until the end: a move that brings the town back there starts with this row.
        row = server.execute(
            "SELECT shard FROM tenants_town WHERE id = %s AND read_only_since IS NULL FOR NO KEY UPDATE",
            [town.pk],
        ).fetchone()
        busy = server.execute(
            "SELECT 1 FROM tenants_operation WHERE subject = %s AND kind = 'move' AND state = ANY(%s) "
            "AND result ->> 'settled' IS NULL",
            [town.slug, list(LIVE)],
        ).fetchone()
        if row is None or row[0] != town.shard or busy:
            return False
        done = True
        for home in _elsewhere(town):
            try:
                clear_at(home, town)
            except OperationalError:
                log.warning("the database %s does not answer; what %s left there stays", home, town.slug)
                done = False
    return done


def _elsewhere(town: Town) -> list[str]:
    return [home for home in homes() if home != town.shard]


def _carry_from(home: str, town: Town) -> None:
    with at(home), connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # a silent database raises Django's error here
    with direct.snapshot(home, PUBLIC) as here, direct.connect(town.shard, PUBLIC) as there:
        for table in public_rows.tables():
            with public_rows.copying_in(there, table, town.pk) as write:
                public_rows.copy_out(here, table, town.pk, write)


def clear_at(home: str, town: Town) -> None:
    """Drop what the town left in that database, where it does not live."""
    _carry_from(home, town)  # work that a late writer planned there
    with at(home):
        rows.drop_schema(town.schema_name)
    if home == REGISTRY:
        with direct.connect(home, PUBLIC) as server:
            public_rows.take_away(server, town.pk)
    else:
        mirrors.unmirror(town, home)
