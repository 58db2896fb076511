"""A transaction that PostgreSQL ended because it crossed another is done again, whole: nothing of it was written."""

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
    """`transaction.atomic` around `act`, called again, a few times, when a deadlock has ended its transaction.

    Only for acts that read all they decide upon inside, and do nothing but write to the database. Inside another
    transaction it is called once: that one is over, and whoever began it calls again.
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
