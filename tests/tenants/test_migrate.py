"""`migrate_towns`: the same result as Django's way, one town's failure alone, resumable, nothing twice."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_tenants.utils import tenant_context

from sandbox import demo
from sandbox.home import REPOSITORY, Home
from sandbox.process.part import REFUSED
from tenant_apps.contact.models import Message
from tenants.hosts import registry
from tenants.life.services import open_town
from tenants.models import SchemaStep, Town
from tenants.schema import versions
from tenants.schema.migrating import migrate_towns, pending
from tenants.schema.provisioning import TEMPLATE
from tenants.schema.readiness import can_serve
from tests.demo import wait
from tests.tenants.databases import database_of_its_own, environment
from tests.tenants.later import later_migrations
from tests.tenants.schemas import description

ADD_FIELD = """
    operations = [
        migrations.AddField("message", "urgent", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("message", "topic", models.CharField(max_length=20, null=True, db_index=True)),
    ]
"""
NEW_TABLE = """
    operations = [
        migrations.CreateModel("Reply", [
            ("id", models.BigAutoField(primary_key=True)),
            ("message", models.ForeignKey("contact.message", models.CASCADE)),
            ("body", models.TextField(default="100 % d'accord")),
        ]),
        migrations.AddConstraint("reply", models.CheckConstraint(
            condition=~models.Q(body="l'an 2000 % {braces}"), name="reply_is_no_joke")),
        migrations.RunSQL(
            "CREATE FUNCTION contact_shout() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " NEW.subject := upper(NEW.subject); RETURN NEW; END $$;"
            "CREATE TRIGGER shout BEFORE INSERT ON contact_message FOR EACH ROW EXECUTE FUNCTION contact_shout()",
        ),
    ]
"""
FILL = """
    operations = [migrations.RunPython(lambda apps, editor: apps.get_model("contact", "Message").objects.update(
        topic=models.functions.Left("subject", 3)), migrations.RunPython.noop)]
"""
AFTERWARDS = """
    operations = [
        migrations.RemoveField("message", "urgent"),
        migrations.AlterField("message", "topic", models.CharField(max_length=30, db_default="")),
        migrations.AddIndex("message", models.Index(fields=["topic", "created_at"], name="message_by_topic")),
    ]
"""
LATER = {
    "0090_fields": ADD_FIELD,
    "0091_replies": NEW_TABLE,
    "0092_fill": FILL,
    "0093_afterwards": AFTERWARDS,
}


@pytest.fixture
def towns(django_db_setup: None, django_db_blocker: Any) -> Iterator[list[Town]]:
    """Three towns with a message each, in a database of their own."""
    with django_db_blocker.unblock(), database_of_its_own(f"migrate_{os.getpid()}"):
        found = [open_town(slug=slug, name=slug) for slug in ("albi", "cordes", "lauzerte")]
        for town in found:
            with tenant_context(town):
                write(f"eau de {town.slug}")
        yield found


def write(subject: str) -> None:
    Message.objects.create(email="x@example.net", subject=subject, body="b", sent_to="y@example.net")


def applied(town: Town) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(f'SELECT app, name FROM "{town.schema_name}".django_migrations')
        return {f"{app}.{name}" for app, name in cursor.fetchall()}


def version(town: Town) -> str:
    return str(Town.objects.values_list("schema_version", flat=True).get(pk=town.pk))


def test_what_another_set_of_migrations_made_is_left_alone(
    towns: list[Town], capfd: pytest.CaptureFixture[str]
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM public.django_migrations WHERE app = 'products'")
    before = versions.applied_names()
    with pytest.raises(CommandError, match="dont celle-ci ne sait pas reprendre les données"):
        call_command("migrate_towns")
    assert versions.applied_names() == before
    with pytest.raises(SystemExit) as ended:  # the demonstration says it too, with what to do
        demo.main()
    assert ended.value.code == REFUSED
    assert capfd.readouterr().err.strip().endswith(f"rm -r {Home().root}, puis make demo.")


def test_the_same_result_as_django_s_own_way(towns: list[Town]) -> None:
    *ours, theirs = towns
    with later_migrations("contact", LATER):
        call_command("migrate_schemas", schema_name=theirs.schema_name, interactive=False, verbosity=0)
        Town.objects.filter(pk=theirs.pk).update(schema_version=versions.wanted().version)
        outcome = migrate_towns()
        assert (sorted(outcome.migrated), outcome.failed) == (["albi", "cordes"], {})
        kept = dict(
            SchemaStep.objects.filter(name__startswith="contact.009").values_list("name", "statements")
        )
        assert [name for name, statements in sorted(kept.items()) if statements is None] == [
            "contact.0092_fill"
        ]
        new = open_town(slug="nouvelle", name="x")
        for town in (*ours, new):
            assert description(town.schema_name) == description(theirs.schema_name)
            assert applied(town) == applied(theirs) == set(versions.wanted().names)
            assert version(town) == versions.wanted().version
        with tenant_context(ours[0]), connection.cursor() as cursor:
            write("voirie")
            cursor.execute("SELECT subject, topic FROM contact_message ORDER BY id")
            assert cursor.fetchall() == [("eau de albi", "eau"), ("VOIRIE", "")]


def test_a_new_town_has_what_the_migrations_left(towns: list[Town]) -> None:
    """The snapshot is read again after each change, whatever kind of migration made it."""
    only_sql = {"0090_fields": ADD_FIELD, "0091_replies": NEW_TABLE}
    with later_migrations("contact", only_sql):
        migrate_towns()
        new = open_town(slug="nouvelle", name="x")
        assert description(new.schema_name) == description(towns[0].schema_name) == description(TEMPLATE)
        assert applied(new) == set(versions.wanted().names)
        with tenant_context(new):
            write("voirie")
            assert Message.objects.get().subject == "VOIRIE"
    with later_migrations("contact", {**only_sql, "0092_fill": FILL}):
        migrate_towns()
        assert description(open_town(slug="autre", name="x").schema_name) == description(TEMPLATE)


def test_one_town_s_failure_is_its_own(towns: list[Town]) -> None:
    albi, cordes, lauzerte = towns
    before = version(cordes)
    with connection.cursor() as cursor:  # somebody's hand was in there
        cursor.execute(f'CREATE TABLE "{cordes.schema_name}".contact_reply (id int)')
    with later_migrations("contact", LATER):
        with pytest.raises(CommandError, match=r"cordes : DuplicateTable : relation \"contact_reply\""):
            call_command("migrate_towns")
        assert version(albi) == version(lauzerte) == versions.wanted().version
        assert version(cordes) == before
        assert not {name for name in applied(cordes) if name.startswith("contact.009")}
        registry.forget()
        assert Client(headers={"host": "albi.localhost"}).get("/healthz/live").status_code == 200
        refused = Client(headers={"host": "cordes.localhost"}).get("/factures/")
        assert refused.status_code == 503
        assert "mise à jour" in refused.content.decode()
        with connection.cursor() as cursor:
            cursor.execute(f'DROP TABLE "{cordes.schema_name}".contact_reply')
        assert migrate_towns().migrated == ["cordes"]
        assert description(cordes.schema_name) == description(albi.schema_name)


def test_python_that_fails_in_one_town(towns: list[Town]) -> None:
    albi, cordes, _ = towns
    stumble = """
    def stumble(apps, editor):
        if apps.get_model("contact", "Message").objects.filter(subject__contains="cordes").exists():
            raise ValueError("inattendu")
    operations = [migrations.RunPython(stumble)]
"""
    with later_migrations("contact", {"0090_fields": ADD_FIELD, "0091_stumble": stumble}):
        outcome = migrate_towns()
        assert outcome.failed == {"cordes": "ValueError : inattendu"}
        assert sorted(outcome.migrated) == ["albi", "lauzerte"]
        # What ran before it in a batch of its own is kept, and said: the version is that of these migrations.
        assert "contact.0090_fields" in applied(cordes)
        assert version(cordes) == versions.version_of(applied(cordes)) != version(albi)


def test_nothing_to_do_is_one_query_for_the_towns(towns: list[Town]) -> None:
    migrate_towns()
    with CaptureQueriesContext(connection) as queries:
        assert list(pending()) == []
    asked = [q["sql"] for q in queries if not q["sql"].startswith("SET search_path")]
    assert len(asked) == 1, asked
    with CaptureQueriesContext(connection) as queries:
        assert migrate_towns().migrated == []
    asked = [q["sql"] for q in queries if "search_path" not in q["sql"]]
    assert len(asked) <= 7, asked  # what public and the template have, and the towns; however many they are


def test_the_plan_changes_nothing(towns: list[Town], capsys: pytest.CaptureFixture[str]) -> None:
    with later_migrations("contact", LATER):
        call_command("migrate_towns", "--plan")
        said = capsys.readouterr().out
        assert "3 commune(s) de la base « default »" in said
        assert "contact.0091_replies (par lot)" in said
        assert "contact.0092_fill (commune par commune)" in said
        assert not any(name.startswith("contact.009") for name in applied(towns[0]))
        assert len(list(pending())) == 1
    call_command("migrate_towns", "--plan")
    assert "Toutes les communes sont à jour." in capsys.readouterr().out


def test_a_town_that_code_can_do_without_the_migration_is_served(towns: list[Town]) -> None:
    """A migration may say that the code runs without it: deploying closes nothing while towns are migrated."""
    patient = "    code_can_wait = True\n" + ADD_FIELD
    host = {"host": "albi.localhost"}
    with later_migrations("contact", {"0090_fields": patient}):
        registry.forget()
        assert Client(headers=host).get("/healthz/live").status_code == 200
        assert can_serve(towns[0])
    with later_migrations("contact", {"0090_needed": ADD_FIELD}):
        registry.forget()
        assert not can_serve(towns[0])
        assert Client(headers=host).get("/").status_code == 503


PROGRAM = """
import sys
from django.conf import settings
settings.MIGRATION_MODULES = {"contact": sys.argv[1]}
import django
django.setup()
from tenants.schema.migrating import migrate_towns
migrate_towns(on_progress=lambda done, total: print(done, flush=True))
"""


def _alone() -> bool:
    """Whether no other session is left in this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend' AND pid <> pg_backend_pid())"
        )
        return bool(cursor.fetchone()[0])


@pytest.mark.faults
def test_killed_in_the_middle_and_gone_on_with(towns: list[Town]) -> None:
    for n in range(12):
        open_town(slug=f"commune-{n}", name="x")
    everybody = list(Town.objects.all())
    slow = ADD_FIELD.replace("= [", '= [migrations.RunSQL("SELECT pg_sleep(0.1)"),')
    with later_migrations(
        "contact", {"0090_fields": slow, "0091_fill": FILL.replace("topic", "subject")}
    ) as folder:
        package = next(name for name in os.listdir(folder) if name.startswith("later_"))
        env = environment()
        env["PYTHONPATH"] = f"{folder}:{REPOSITORY}:{REPOSITORY / 'src'}"
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, package], env=env, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(5):
            assert process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        wait(_alone)  # the server ends what the dead process had asked of it
        reached = {version(town) for town in everybody}
        assert len(reached) >= 2  # it was in the middle
        for town in everybody:  # each is whole, at the version that the registry says
            assert versions.version_of(applied(town)) == version(town)
        outcome = migrate_towns()
        assert outcome.failed == {}
        assert {version(town) for town in everybody} == {versions.wanted().version}
        assert len({str(description(town.schema_name)) for town in everybody}) == 1
