"""The index of a foreign key goes where a longer one begins with the same column.

By name: AlterField would also drop the foreign key, and check every row to make it again.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    code_can_wait = True

    dependencies = [("invoices", "0005_credits_stay")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL('DROP INDEX IF EXISTS "invoices_invoice_payer_id_51403ee8"', 'CREATE INDEX "invoices_invoice_payer_id_51403ee8" ON "invoices_invoice" ("payer_id")'),
                migrations.RunSQL('DROP INDEX IF EXISTS "invoices_invoice_product_id_557d97cc"', 'CREATE INDEX "invoices_invoice_product_id_557d97cc" ON "invoices_invoice" ("product_id")'),
            ],
            state_operations=[
                migrations.AlterField(
                    model_name='invoice',
                    name='payer',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='invoices', to='residents.payer'),
                ),
                migrations.AlterField(
                    model_name='invoice',
                    name='product',
                    field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, to='products.product'),
                ),
            ],
        )
    ]
