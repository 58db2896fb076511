"""Each payment and docket is of one régie, and each act on money is a line of the ledger on its own day.

What was booked before is written into the ledger as it stands: receipts on their day, refunds on theirs, what was
cancelled taken back on the day it was.
"""

import django.db.models.deletion
from django.db import migrations, models

FILL = """
UPDATE payments_payment AS p SET product_id = a.product_id FROM payments_attempt AS a WHERE a.id = p.attempt_id;
UPDATE payments_payment AS p SET product_id = i.product_id
  FROM payments_allocation AS l JOIN invoices_invoice AS i ON i.id = l.invoice_id
 WHERE l.payment_id = p.id AND p.product_id IS NULL;
UPDATE payments_payment SET product_id = (SELECT id FROM products_product WHERE is_default) WHERE product_id IS NULL;
ALTER TABLE payments_deposit DISABLE TRIGGER payments_deposit_keep_closed;
UPDATE payments_deposit AS d SET product_id = p.product_id FROM payments_payment AS p WHERE p.deposit_id = d.id;
-- Nothing may wait for the commit: these tables are altered next.
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE payments_deposit ENABLE TRIGGER payments_deposit_keep_closed;
"""

LINES = """
CREATE FUNCTION payments_keep_ledger() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'a line of the ledger does not change' USING ERRCODE = 'restrict_violation';
END
$body$;
CREATE TRIGGER payments_ledgerline_stays BEFORE UPDATE OR DELETE ON payments_ledgerline
    FOR EACH ROW EXECUTE FUNCTION payments_keep_ledger();

INSERT INTO payments_ledgerline (payment_id, invoice_id, refund_id, nature, day, amount, recorded_at, recorded_by)
SELECT p.id, l.invoice_id, NULL::bigint, 'received', p.paid_on, l.amount, p.recorded_at, p.recorded_by
  FROM payments_payment AS p JOIN payments_allocation AS l ON l.payment_id = p.id
UNION ALL
SELECT p.id, NULL::bigint, NULL::bigint, 'received', p.paid_on, p.amount - coalesce(l.total, 0), p.recorded_at, p.recorded_by
  FROM payments_payment AS p
  LEFT JOIN (SELECT payment_id, sum(amount) AS total FROM payments_allocation GROUP BY 1) AS l ON l.payment_id = p.id
 WHERE p.amount <> coalesce(l.total, 0)
UNION ALL
SELECT r.payment_id, NULL::bigint, r.id, 'refunded', r.refunded_on, -r.amount, r.recorded_at, r.recorded_by
  FROM payments_refund AS r
UNION ALL
SELECT p.id, l.invoice_id, NULL::bigint, 'cancelled', (p.cancelled_at AT TIME ZONE 'Europe/Paris')::date, -l.amount,
       p.cancelled_at, p.cancelled_by
  FROM payments_payment AS p JOIN payments_allocation AS l ON l.payment_id = p.id WHERE p.cancelled_at IS NOT NULL
UNION ALL
SELECT p.id, NULL::bigint, NULL::bigint, 'cancelled', (p.cancelled_at AT TIME ZONE 'Europe/Paris')::date, -p.unallocated,
       p.cancelled_at, p.cancelled_by
  FROM payments_payment AS p WHERE p.cancelled_at IS NOT NULL AND p.unallocated <> 0;
SET CONSTRAINTS ALL IMMEDIATE;
"""
NO_LINES = """
DROP TRIGGER payments_ledgerline_stays ON payments_ledgerline;
DROP FUNCTION payments_keep_ledger();
"""
PRODUCT = {"on_delete": django.db.models.deletion.PROTECT, "to": "products.product"}


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0009_one_index_a_column"),
        ("invoices", "0007_states_and_references_guarded"),
        ("products", "0001_initial"),
    ]
    operations = [
        migrations.AddField("payment", "product", models.ForeignKey(null=True, related_name="payments", **PRODUCT)),
        migrations.AddField("deposit", "product", models.ForeignKey(null=True, **PRODUCT)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("payment", "product", models.ForeignKey(related_name="payments", **PRODUCT)),
        migrations.AlterField("deposit", "product", models.ForeignKey(**PRODUCT)),
        migrations.CreateModel(
            name="LedgerLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("nature", models.CharField(choices=[("received", "encaissement"), ("realloc", "réaffectation"), ("refunded", "remboursement"), ("cancelled", "annulation")], max_length=9)),
                ("day", models.DateField()),
                ("amount", models.DecimalField(decimal_places=2, max_digits=10)),
                ("recorded_at", models.DateTimeField(auto_now_add=True)),
                ("recorded_by", models.CharField(max_length=254)),
                ("invoice", models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="invoices.invoice")),
                ("payment", models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="ledger_lines", to="payments.payment")),
                ("refund", models.OneToOneField(null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="payments.refund")),
            ],
            options={
                "verbose_name": "écriture",
                "ordering": ["day", "id"],
                "indexes": [models.Index(fields=["day"], name="ledger_day")],
                "constraints": [models.CheckConstraint(condition=models.Q(("amount", 0), _negated=True), name="ledger_line_not_empty")],
            },
        ),
        migrations.RunSQL(LINES, NO_LINES),
        migrations.AlterField(
            model_name='finding',
            name='kind',
            field=models.CharField(choices=[('claim', "annonce d'un paiement que le Trésor public ne confirme pas"), ('forged', 'retour qui ne correspond pas à la demande'), ('replayed', 'retour présenté une seconde fois'), ('late', 'paiement annoncé pendant une autre tentative'), ('differs', 'réponse du Trésor public qui ne correspond pas à la demande'), ('closed', 'service fermé par le Trésor public'), ('audit_paid', 'montant réglé différent de la somme des règlements'), ('audit_spent', 'règlement affecté au-delà de son montant'), ('audit_left', "reste d'un règlement différent de ce qui n'est pas affecté"), ('audit_days', 'journées qui ne font pas le compte des règlements'), ('audit_lost', 'tentative payée sans règlement enregistré'), ('audit_state', "règlement enregistré alors que la tentative n'est pas payée"), ('audit_sum', "règlement d'un autre montant que la tentative"), ('audit_parts', "tentative d'un autre montant que la somme de ses factures"), ('audit_test', "paiement d'essai enregistré comme un règlement")], max_length=12),
        ),
    ]
