"""Retry a transaction that PostgreSQL rolled back because of a deadlock or a serialization failure."""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection, transaction

P = ParamSpec("P")
R = TypeVar("R")
TIMES = 4
_CROSSED = ("40P01", "40001")  # a deadlock, a serialization failure
log = logging.getLogger(__name__)


def atomic_again(act: Callable[P, R]) -> Callable[P, R]:
    """Run `act` in `transaction.atomic`, and again, a few times, after a deadlock.

    Only for acts that read everything they need inside the transaction, and only write to the database. Inside another
    transaction it runs once: the outer one is lost, and its caller must retry.
    """

    @wraps(act)
    def acting(*args: P.args, **kwargs: P.kwargs) -> R:
        again = TIMES - 1 if not connection.in_atomic_block else 0
        while True:
            try:
                with transaction.atomic():
                    return act(*args, **kwargs)
            except OperationalError as error:
                if not (again and has_crossed(error)):
                    raise
                again -= 1
                log.error("%s crossed another transaction; it is done again", act.__qualname__)
                time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - so that the two do not meet again

    return acting


def has_crossed(error: BaseException) -> bool:
    """Whether PostgreSQL ended a transaction to let another one go on."""
    return getattr(error.__cause__, "sqlstate", None) in _CROSSED
