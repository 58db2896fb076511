"""What a browser may keep holds nothing of a person: on a shared computer, « Back » shows it to the next."""

from typing import Any

import pytest

from tests.isolation.table import TOWN
from tests.isolation.test_routes import World
from tests.isolation.test_routes import world as world


@pytest.mark.parametrize("person", ["alice", "manager"])
def test_what_may_be_kept_names_nobody(world: World, person: str) -> None:
    browser: Any = world.client(person)
    payer, told = world.invoice.payer, {}
    secrets = [f"{person}@example.net", world.invoice.number, str(world.invoice.uuid), payer.last_name]
    for route in TOWN:
        answer = browser.get(world.address(route))
        if answer.status_code != 200 or "no-store" in answer.get("Cache-Control", ""):
            continue
        page = (b"".join(answer.streaming_content) if answer.streaming else answer.content).decode()
        if found := [one for one in secrets if one and one in page]:
            told[route] = found
    assert told == {}
