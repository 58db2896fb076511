"""What an installation on the Internet has, and a laptop has not: https, its cookies, its logs, its pods."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.test import Client, RequestFactory

from sandbox.home import REPOSITORY
from shared_apps.accounts.throttling.throttle import client_address
from tenants.models import Town

ROOMS = ("shared_apps", "tenant_apps", "tenants", "src/config", "src/toolkit")
# Warnings of `check --deploy` that we chose: a town's own domain may have subdomains that are not ours (W005), so it
# cannot be on the browsers' list (W021); the proxy redirects to https (W008).
CHOSEN = {"security.W005", "security.W021", "security.W008"}
PATH = f"{REPOSITORY}{os.pathsep}{REPOSITORY / 'src'}"
ASKED = """
import json, logging, django
django.setup()
from django.conf import settings
from django.core import checks
logging.getLogger("essai").warning("une ligne\\n{\\"level\\": \\"error\\"} %s", "et\\r\\nune autre")
kinds = ("SECURE", "HTTPONLY", "SAMESITE")
print(json.dumps({
    "warnings": [[one.id, str(one.msg)] for one in checks.run_checks(include_deployment_checks=True)
                 if not one.is_silenced()],
    "debug": settings.DEBUG,
    "hsts": settings.SECURE_HSTS_SECONDS,
    "names": {name: getattr(settings, name) for name in dir(settings) if name.endswith("COOKIE_NAME")},
    "cookies": {f"{one}_{kind}": getattr(settings, f"{one}_COOKIE_{kind}")
                for one in ("SESSION", "CSRF", "LANGUAGE") for kind in kinds},
}))
"""


@cache
def deployed() -> tuple[dict[str, Any], list[str]]:
    """What Django says of itself with the settings of an installation, and the lines of its log."""
    environment = {
        **os.environ,
        "PUBLIC_SCHEME": "https",
        "PUBLIC_PORT": "443",
        "SECRET_KEY": "deployed-" + "0123456789abcdefghijklmnopqrstuvwxyz" * 2,
    }
    environment.pop("DEBUG", None)
    done = subprocess.run(
        [sys.executable, "-c", ASKED],
        env={**environment, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONPATH": PATH},
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return json.loads(done.stdout), done.stderr.splitlines()


def test_django_s_own_check() -> None:
    said, _lines = deployed()
    assert {one for one, _words in said["warnings"]} <= CHOSEN, said["warnings"]
    assert (said["debug"], said["hsts"]) == (False, 365 * 24 * 3600)


def test_cookies() -> None:
    said, _lines = deployed()
    used = said["names"]
    assert {"SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME"} <= set(used)
    assert [name for name, value in used.items() if not value.startswith("__Host-")] == []
    cookies = said["cookies"]
    assert all(
        cookies[f"{one}_SECURE"] and cookies[f"{one}_HTTPONLY"] for one in ("SESSION", "CSRF", "LANGUAGE")
    )
    assert {cookies["SESSION_SAMESITE"], cookies["CSRF_SAMESITE"]} == {"Lax"}


def test_one_event_is_one_line() -> None:
    """A line break in somebody's word begins no event of its own."""
    _said, lines = deployed()
    events = [json.loads(line) for line in lines if line.startswith("{")]
    (event,) = [one for one in events if one.get("logger") == "essai"]
    assert event["event"] == 'une ligne\n{"level": "error"} et\r\nune autre'
    assert event["level"] == "warning"
    assert event["timestamp"].endswith("Z")
    assert event["town"]


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),  # what a visitor wrote, then what our proxy wrote
        ("203.0.113.9", "203.0.113.9"),
        ("", "192.0.2.1"),
    ],
)
def test_the_address_that_is_counted(forwarded: str, address: str) -> None:
    more: dict[str, Any] = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
    request = RequestFactory().get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_REAL_IP="6.6.6.6", **more)
    assert client_address(request) == address


def test_no_other_origin_and_no_echo(town: Town) -> None:
    client = Client(
        headers={"host": "mairie.localhost", "origin": "https://evil.example", "x-secret": "perle"}
    )
    for path in ("/", "/connexion/", "/aide/", "/nulle-part/", "/healthz/live"):
        for answer in (client.get(path), client.options(path), client.trace(path)):
            assert [name for name in answer.headers if name.lower().startswith("access-control")] == [], path
            assert b"perle" not in answer.content, path


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((REPOSITORY / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield str(path.relative_to(REPOSITORY)), ast.parse(path.read_text(encoding="utf-8"))


INSIDE = "the size is looked at first, then the token is asked for"
# Views that Django's check of forms leaves alone, each with what stands in its place.
WITHOUT_TOKEN = {
    (
        "tenant_apps/payments/online/incoming/addresses.py",
        "receive",
    ): "a provider calls: it is asked, or its token or signature is right",
    ("tenant_apps/backoffice/views/settings/town/identity.py", "identity_page"): INSIDE,
    ("tenant_apps/backoffice/views/settings/town/exchange.py", "exchange_page"): INSIDE,
    ("tenant_apps/backoffice/views/imports.py", "new_batch"): INSIDE,
    ("tenant_apps/backoffice/views/money/reconciliation.py", "new_statement"): INSIDE,
    ("tenant_apps/contact/files/uploads.py", "wrapped"): INSIDE,
    ("shared_apps/console/views/archives.py", "deposit_archive"): INSIDE,
    ("shared_apps/console/views/lists.py", "open_list"): INSIDE,
    (
        "tenant_apps/portal/views/mine/alerts.py",
        "unsubscribe",
    ): "RFC 8058: the sealed ticket is the whole right",
    (
        "tenant_apps/portal/views/invoices/paying.py",
        "payment_return",
    ): "the Treasury sends the payer back; we ask it",
}


def test_no_form_without_its_token() -> None:
    found = {
        (name, node.name)
        for name, tree in sources(*ROOMS)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and any("csrf_exempt" in ast.dump(decorator) for decorator in node.decorator_list)
    }
    assert found == set(WITHOUT_TOKEN)
    for (name, _view), why in WITHOUT_TOKEN.items():
        if why == INSIDE:
            assert re.search(
                r"@csrf_protect|csrf_protect\(", (REPOSITORY / name).read_text(encoding="utf-8")
            ), name


UNSAFE = {"eval", "exec", "compile", "__import__"}
UNSAFE_MODULES = {"pickle", "marshal", "shelve", "dill", "yaml"}


def test_nothing_evaluates_or_unpickles() -> None:
    """Nor takes all the fields of a model from a form."""
    found: set[tuple[str, str]] = set()
    for name, tree in sources(*ROOMS):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in UNSAFE:
                found.add((name, node.func.id))
            elif isinstance(node, ast.Import):
                found |= {(name, one.name) for one in node.names if one.name in UNSAFE_MODULES}
            elif isinstance(node, ast.ImportFrom) and node.module in UNSAFE_MODULES:
                found.add((name, str(node.module)))
            elif isinstance(node, ast.Assign) and "'__all__'" in ast.dump(node.value):
                found.add((name, "all fields"))
    assert found == set()


KEEPS_OR_EVALUATES = re.compile(
    r"localStorage|sessionStorage|indexedDB|postMessage|innerHTML|outerHTML|insertAdjacentHTML|document\.write"
    r"|\beval\(|new Function|document\.cookie"
)


# Whether the console's menu is open.
OF_NOBODY = {"shared_apps/console/static/console/alpine-names.js": ["localStorage"]}


def test_our_scripts_keep_and_evaluate_nothing() -> None:
    folders = ("shared_apps", "tenant_apps", "src/config/static")
    scripts = [path for folder in folders for path in sorted((REPOSITORY / folder).rglob("*.js"))]
    assert scripts
    found = {
        str(path.relative_to(REPOSITORY)): sorted(words)
        for path in scripts
        if (words := set(KEEPS_OR_EVALUATES.findall(path.read_text(encoding="utf-8"))))
    }
    assert found == OF_NOBODY


def test_pods_are_restricted() -> None:
    """Kubernetes' restricted profile, as the chart's text says it; each program of the chart takes both helpers."""
    templates = REPOSITORY / "helm" / "mes-factures" / "templates"
    helpers = (templates / "_helpers.tpl").read_text(encoding="utf-8")
    for line in (
        "allowPrivilegeEscalation: false",
        "readOnlyRootFilesystem: true",
        "capabilities: {drop: [ALL]}",
        "runAsNonRoot: true",
        "seccompProfile: {type: RuntimeDefault}",
        "automountServiceAccountToken: false",
    ):
        assert line in helpers
    for path in sorted(templates.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        assert text.count("containers:") == text.count('include "factures.container"'), path.name
        assert text.count("containers:") == text.count('include "factures.pod"'), path.name
        assert not re.search(r"hostNetwork|hostPath|privileged|hostPID", text), path.name


def test_nothing_is_imported_from_the_laptop() -> None:
    """What is deployed knows neither the simulator nor the demo."""
    found = {
        name
        for name, tree in sources(*ROOMS)
        for node in ast.walk(tree)
        if (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in ("sandbox", "tests"))
        or (
            isinstance(node, ast.Import)
            and any(one.name.split(".")[0] in ("sandbox", "tests") for one in node.names)
        )
    }
    assert found == set()


def test_no_page_names_a_third_party() -> None:
    """Templates load nothing from elsewhere: addresses of other hosts are links, which a person presses."""
    loads = re.compile(
        r"<(?:script|link|img|iframe|source|video|audio|object|embed)\b[^>]*?(?:src|href|data)=[\"']https?://",
        re.I,
    )
    found = [
        str(Path(path).relative_to(REPOSITORY))
        for folder in ROOMS
        for path in (REPOSITORY / folder).rglob("*.html")
        if loads.search(path.read_text(encoding="utf-8"))
    ]
    assert found == []
