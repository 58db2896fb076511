"""Redis gone: what is acknowledged is kept, the page does not hang, and beat's agenda knows what is due."""

import os
import subprocess
import sys

import pytest
from django.db import connection

from sandbox.home import REPOSITORY
from shared_apps.accounts.models import Link
from tenants.models import AgendaItem, Domain, Town

PROGRAM = """
import django
django.setup()
import time
from django.test import Client
begun = time.monotonic()
client = Client(headers={"host": "%s"})
assert client.get("/activation/").status_code == 200
answer = client.post("/activation/", {"email": "somebody@example.net"})
assert answer.status_code == 200, answer.status_code
answer = client.post("/", {"email": "somebody@example.net", "password": "x"})
assert "ne correspond pas" in answer.content.decode()
print(time.monotonic() - begun)
"""


@pytest.mark.faults
def test_a_request_survives_without_redis(live_town: Town) -> None:
    host = Domain.objects.get(tenant=live_town).domain
    database = connection.settings_dict
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM % host],
        env={
            **os.environ,
            "PYTHONPATH": f"{REPOSITORY}:{REPOSITORY / 'src'}",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "REDIS_URL": "redis://127.0.0.1:9/0",
            "DATABASE_URL": "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database),
        },
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    assert float(result.stdout) < 90  # three requests; Redis is refused at once, and nobody waits for it
    assert Link.objects.filter(email="somebody@example.net", handled_at=None).count() == 1
    assert AgendaItem.objects.filter(town=live_town, kind="links").count() == 1
