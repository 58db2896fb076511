"""« Dossier de dépôt »: a manager switches the folder of a source on, and says who is told."""

from types import SimpleNamespace

import pytest

from shared_apps.audit.models import AuditEntry
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Arrival, Source
from tenant_apps.residents.sources import default_source
from tenants.models import AgendaItem, Town
from tests.backoffice.conftest import text
from toolkit import clock


def page() -> str:
    return f"/gestion/reglages/provenances/{default_source().uuid}/depot/"


def test_on_then_off(town: Town, people: SimpleNamespace, browsers: SimpleNamespace) -> None:
    shown = text(browsers.manager.get(page()))
    assert inboxes.folder_of(default_source()) in shown
    wanted = {"is_watched": "on", "clerk": str(people.clerk.uuid), "publishes_alone": "publier"}
    assert browsers.manager.post(page(), wanted)["Location"] == page()
    source = default_source()
    assert (source.is_watched, source.clerk, source.publishes_alone) == (True, people.clerk, True)
    assert AgendaItem.objects.filter(town=town, kind="inbox").exists()
    browsers.manager.post(page(), wanted)  # the same: nothing happens
    assert AuditEntry.objects.filter(verb="source.watched").count() == 1
    Arrival.objects.create(source=source, name="octobre.csv", seen_at=clock.now())
    assert "octobre.csv" in text(browsers.manager.get(page()))
    browsers.manager.post(page(), {**wanted, "is_watched": ""})
    assert not default_source().is_watched
    assert not Arrival.objects.exists()  # what was still arriving is seen anew, if it is switched on again


@pytest.mark.parametrize("who", ["reader", "alice", "", "nobody"])
def test_somebody_must_be_told_who_may_import(
    people: SimpleNamespace, browsers: SimpleNamespace, who: str
) -> None:
    chosen = str(getattr(people, who).uuid) if hasattr(people, who) else who
    answer = browsers.manager.post(page(), {"is_watched": "on", "clerk": chosen})
    assert answer.status_code == 422
    assert "Choisissez qui prévenir" in text(answer)
    assert not default_source().is_watched


def test_a_folder_that_stands_still_is_on_the_first_page(
    people: SimpleNamespace, browsers: SimpleNamespace
) -> None:
    words = "Les fichiers déposés n'arrivent plus"
    inboxes.watch(
        actor="system", source=default_source(), is_watched=True, clerk=people.clerk, publishes_alone=False
    )
    assert words not in text(browsers.manager.get("/gestion/"))
    Source.objects.update(looks_failed=inboxes.SEEN_FAILING, silent_since=clock.now())
    assert words in text(browsers.manager.get("/gestion/"))
    assert words not in text(browsers.clerk.get("/gestion/"))
    assert "ne peut pas être lu depuis" in text(browsers.manager.get(page()))
    Source.objects.update(looks_failed=0, silent_since=None, clerk=None)
    assert "la personne à prévenir ne peut plus importer" in text(browsers.manager.get(page()))
