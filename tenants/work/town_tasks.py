"""Tasks of a town that is not served end at once; nothing is lost, because a row says what is due."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from django.db import OperationalError, connection
from tenant_schemas_celery.task import TenantTask

from tenants.current import PUBLIC, current_schema
from tenants.databases.postgresql import again
from tenants.models import Town
from tenants.states import TownState

log = logging.getLogger(__name__)


class TownTask(TenantTask):
    """Runs in the town that its header names, unless the town is suspended, closed or gone."""

    abstract = True
    even_paused = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self._may_run():
            log.info("%s leaves: its town is not served", self.name)
            return None
        return self._again(partial(super().__call__, *args, **kwargs))

    def _again(self, act: Callable[[], Any]) -> Any:
        """Retry after a deadlock: nothing was written, and a task may run twice."""
        for left in reversed(range(again.TIMES)):
            try:
                return act()
            except OperationalError as error:
                if not left or connection.in_atomic_block or not again.has_crossed(error):
                    raise
                log.error("%s crossed another transaction; it is done again", self.name)
        raise AssertionError

    def _may_run(self) -> bool:
        asked = (self.request.headers or {}).get("_schema_name") or self.request.get("_schema_name")
        if asked and asked != current_schema():  # its town is gone: the library did not change the schema
            return False
        town = getattr(connection, "tenant", None)
        if current_schema() == PUBLIC or not isinstance(town, Town):
            return True
        if town.read_only_since is not None:  # it is being moved: any task waits
            return False
        return town.is_served or (self.even_paused and town.state != TownState.OPENING)


class MoneyTask(TownTask):
    """For money in flight: once started it runs in a suspended and in a closed town too."""

    abstract = True
    even_paused = True
