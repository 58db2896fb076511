"""The index of a foreign key goes where a longer one begins with the same column.

By name: AlterField would also drop the foreign key, and check every row to make it again.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    code_can_wait = True

    dependencies = [("reconciliation", "0001_initial")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL('DROP INDEX IF EXISTS "reconciliation_line_statement_id_c03a27e3"', 'CREATE INDEX "reconciliation_line_statement_id_c03a27e3" ON "reconciliation_line" ("statement_id")'),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='line',
                    name='statement',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='lines', to='reconciliation.statement'),
                ),
            ],
        )
    ]
