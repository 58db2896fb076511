"""Towns opened before lose the indexes that Django adds for LIKE: no query asks for them (tenants.databases.postgresql)."""

from django.db import migrations

DROP = r"""
DO $$
DECLARE
    found record;
BEGIN
    FOR found IN SELECT indexname FROM pg_indexes
        WHERE schemaname = current_schema() AND indexname LIKE '%\_like' AND indexdef LIKE '%\_pattern\_ops)'
    LOOP
        EXECUTE format('DROP INDEX %I.%I', current_schema(), found.indexname);
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    code_can_wait = True

    dependencies = [("townhall", "0005_reminders")]

    operations = [migrations.RunSQL(DROP, migrations.RunSQL.noop)]
