"""The index of a foreign key goes where a longer one begins with the same column.

By name: AlterField would also drop the foreign key, and check every row to make it again.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    code_can_wait = True

    dependencies = [("payments", "0008_several_invoices")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL('DROP INDEX IF EXISTS "payments_allocation_payment_id_8a92fa47"', 'CREATE INDEX "payments_allocation_payment_id_8a92fa47" ON "payments_allocation" ("payment_id")'),
                migrations.RunSQL('DROP INDEX IF EXISTS "payments_attemptinvoice_attempt_id_48b095f2"', 'CREATE INDEX "payments_attemptinvoice_attempt_id_48b095f2" ON "payments_attemptinvoice" ("attempt_id")'),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='allocation',
                    name='payment',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='allocations', to='payments.payment'),
                ),
                migrations.AlterField(
                    model_name='attemptinvoice',
                    name='attempt',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='payments.attempt'),
                ),
            ],
        )
    ]
