"""The index of a foreign key goes where a longer one begins with the same column.

By name: AlterField would also drop the foreign key, and check every row to make it again.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    code_can_wait = True

    dependencies = [("residents", "0003_claims")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL('DROP INDEX IF EXISTS "residents_payeremail_payer_id_fa2bf264"', 'CREATE INDEX "residents_payeremail_payer_id_fa2bf264" ON "residents_payeremail" ("payer_id")'),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='payeremail',
                    name='payer',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='emails', to='residents.payer'),
                ),
            ],
        )
    ]
