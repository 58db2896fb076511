"""What a town leaves in databases where it no longer lives, or where a move was interrupted."""

import logging

from django.db import OperationalError, connection

from tenants.current import PUBLIC, REGISTRY, in_shard, shard_aliases
from tenants.databases import direct, mirrors
from tenants.models import LIVE, Town
from tenants.shards import public_rows, rows

log = logging.getLogger(__name__)


def carry(town: Town) -> bool:
    """Copy the town's rows from the other databases' public schemas to its own. False when one does not answer.

    Existing rows of its own database stay as they are. The others keep their rows until `clear`.
    """
    answered = True
    for shard in _elsewhere(town):
        try:
            _carry_from(shard, town)
        except OperationalError:
            log.warning("the database %s does not answer; what %s left there stays", shard, town.slug)
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
        for shard in _elsewhere(town):
            try:
                clear_shard(shard, town)
            except OperationalError:
                log.warning("the database %s does not answer; what %s left there stays", shard, town.slug)
                done = False
    return done


def _elsewhere(town: Town) -> list[str]:
    return [shard for shard in shard_aliases() if shard != town.shard]


def _carry_from(shard: str, town: Town) -> None:
    with in_shard(shard), connection.cursor() as cursor:
        cursor.execute("SELECT 1")  # a silent database raises Django's error here
    with direct.snapshot(shard, PUBLIC) as here, direct.connect(town.shard, PUBLIC) as there:
        for table in public_rows.tables():
            with public_rows.copying_in(there, table, town.pk) as write:
                public_rows.copy_out(here, table, town.pk, write)


def clear_shard(shard: str, town: Town) -> None:
    """Drop what the town left in that database, where it does not live."""
    _carry_from(shard, town)  # work that a late writer planned there
    with in_shard(shard):
        rows.drop_schema(town.schema_name)
    if shard == REGISTRY:
        with direct.connect(shard, PUBLIC) as server:
            public_rows.take_away(server, town.pk)
    else:
        mirrors.unmirror(town, shard)
