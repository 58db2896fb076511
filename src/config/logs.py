"""Logs: one line per event, with the town, without personal data."""

import logging
import sys
from http import HTTPStatus

import structlog
from django.db import connection


def add_town(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Add the connection's schema to the line."""
    event.setdefault("town", getattr(connection, "schema_name", "-"))
    return event


def calm(record: logging.LogRecord) -> bool:
    """Lower Django's error for a 503 of ours, which is a state of the town (`tenants.hosts.doors`)."""
    if getattr(record, "status_code", None) == HTTPStatus.SERVICE_UNAVAILABLE:
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


def configure(*, debug: bool) -> None:
    """Send every log of the process to stderr: readable lines in debug, JSON otherwise."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_town,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=False) if debug else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
            foreign_pre_chain=shared,
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    django = logging.getLogger("django.request")
    if calm not in django.filters:
        django.addFilter(calm)
    noisy_ones = ("botocore", "boto3", "urllib3", "zeep", "django.db.backends", "asyncio", "pikepdf", "fido2")
    for noisy in noisy_ones:
        logging.getLogger(noisy).setLevel(logging.WARNING)
