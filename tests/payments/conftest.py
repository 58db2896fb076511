"""The simulator of the session, driven as a payer or a breakdown would."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from django.conf import settings


@dataclass(frozen=True)
class Simulator:
    """Its control API (docs/payfip-simulator.md)."""

    base: str

    def act(self, idop: str | None, what: str, **options: Any) -> None:
        """As if the payer had clicked; no notification unless asked for."""
        answer = requests.post(
            f"{self.base}/api/operations/{idop}/{what}", json={"notify": 0, **options}, timeout=10
        )
        answer.raise_for_status()

    def behave(self, **how: Any) -> None:
        requests.post(f"{self.base}/api/behaviour", json=how, timeout=10).raise_for_status()

    def operation(self, idop: str | None) -> dict[str, Any]:
        found = requests.get(f"{self.base}/api/operations", timeout=10).json()
        return next(operation for operation in found if operation["idop"] == idop)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    parts = urlsplit(settings.PAYFIP_SERVICE_URL)
    found = Simulator(f"{parts.scheme}://{parts.netloc}")
    yield found
    found.behave(soap="ok", delay=0, notifications="on", clock=0.0)
