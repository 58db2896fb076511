"""What an attempt pays of each invoice is a row, also for an attempt on one: « one live attempt an invoice » stands on it.

An attempt on one invoice gets its row from a trigger, whoever inserts it. `live` is never what a program says: it is
read from the attempt's state when the row comes, and follows it when the state moves. The rest of a row is frozen.
The statements name their schema from the trigger's own table. A test compares the list of live states with `states`.
"""

import django.db.models.deletion
from django.db import migrations, models

FORWARD = """
CREATE FUNCTION payments_part_of_single() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('INSERT INTO %I.payments_attemptinvoice (attempt_id, invoice_id, amount, live) '
        'VALUES ($1, $2, $3, true)', TG_TABLE_SCHEMA) USING NEW.id, NEW.invoice_id, NEW.amount;
    RETURN NULL;
END
$body$;

CREATE TRIGGER payments_attempt_has_part AFTER INSERT ON payments_attempt
    FOR EACH ROW WHEN (NOT NEW.several) EXECUTE FUNCTION payments_part_of_single();

CREATE FUNCTION payments_part_begins() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('SELECT state IN (''created'', ''started'', ''reported'', ''review'') FROM %I.payments_attempt '
        'WHERE id = $1', TG_TABLE_SCHEMA) INTO NEW.live USING NEW.attempt_id;
    RETURN NEW;
END
$body$;

CREATE TRIGGER payments_part_reads_state BEFORE INSERT ON payments_attemptinvoice
    FOR EACH ROW EXECUTE FUNCTION payments_part_begins();

CREATE FUNCTION payments_parts_follow() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format('UPDATE %I.payments_attemptinvoice SET live = $1 WHERE attempt_id = $2', TG_TABLE_SCHEMA)
        USING NEW.state IN ('created', 'started', 'reported', 'review'), NEW.id;
    RETURN NULL;
END
$body$;

CREATE TRIGGER payments_attempt_parts_follow AFTER UPDATE OF state ON payments_attempt
    FOR EACH ROW WHEN ((OLD.state IN ('created', 'started', 'reported', 'review'))
        <> (NEW.state IN ('created', 'started', 'reported', 'review')))
    EXECUTE FUNCTION payments_parts_follow();

CREATE FUNCTION payments_part_is_frozen() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'what an attempt asked of an invoice does not change' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'attempt_part_frozen';
END
$body$;

CREATE TRIGGER payments_part_frozen BEFORE UPDATE OF attempt_id, invoice_id, amount ON payments_attemptinvoice
    FOR EACH ROW WHEN ((OLD.attempt_id, OLD.invoice_id, OLD.amount)
        IS DISTINCT FROM (NEW.attempt_id, NEW.invoice_id, NEW.amount))
    EXECUTE FUNCTION payments_part_is_frozen();

INSERT INTO payments_attemptinvoice (attempt_id, invoice_id, amount, live)
    SELECT id, invoice_id, amount, true FROM payments_attempt ORDER BY id;
-- Nothing may wait for the commit: the next migration of the same transaction may alter these tables.
SET CONSTRAINTS ALL IMMEDIATE;
"""

BACKWARD = """
DROP TRIGGER payments_part_frozen ON payments_attemptinvoice;
DROP FUNCTION payments_part_is_frozen();
DROP TRIGGER payments_attempt_parts_follow ON payments_attempt;
DROP FUNCTION payments_parts_follow();
DROP TRIGGER payments_part_reads_state ON payments_attemptinvoice;
DROP FUNCTION payments_part_begins();
DROP TRIGGER payments_attempt_has_part ON payments_attempt;
DROP FUNCTION payments_part_of_single();
DELETE FROM payments_attemptinvoice;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('invoices', '0005_credits_stay'),
        ('payments', '0007_money_left_over'),
    ]

    operations = [
        migrations.CreateModel(
            name='AttemptInvoice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('amount', models.DecimalField(decimal_places=2, max_digits=10)),
                ('live', models.BooleanField(default=True)),
            ],
            options={
                'ordering': ['invoice_id'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='attempt',
            name='one_live_attempt',
        ),
        migrations.AddField(
            model_name='attempt',
            name='several',
            field=models.BooleanField(default=False),
        ),
        migrations.AlterField(
            model_name='attempt',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='invoices.invoice'),
        ),
        migrations.AlterField(
            model_name='finding',
            name='kind',
            field=models.CharField(choices=[('claim', "annonce d'un paiement que le Trésor public ne confirme pas"), ('forged', 'retour qui ne correspond pas à la demande'), ('replayed', 'retour présenté une seconde fois'), ('late', 'paiement annoncé pendant une autre tentative'), ('differs', 'réponse du Trésor public qui ne correspond pas à la demande'), ('closed', 'service fermé par le Trésor public'), ('audit_paid', 'montant réglé différent de la somme des règlements'), ('audit_spent', 'règlement affecté au-delà de son montant'), ('audit_lost', 'tentative payée sans règlement enregistré'), ('audit_state', "règlement enregistré alors que la tentative n'est pas payée"), ('audit_sum', "règlement d'un autre montant que la tentative"), ('audit_parts', "tentative d'un autre montant que la somme de ses factures"), ('audit_test', "paiement d'essai enregistré comme un règlement")], max_length=12),
        ),
        migrations.AddField(
            model_name='attemptinvoice',
            name='attempt',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='payments.attempt'),
        ),
        migrations.AddField(
            model_name='attemptinvoice',
            name='invoice',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempt_parts', to='invoices.invoice'),
        ),
        migrations.AddField(
            model_name='attempt',
            name='invoices',
            field=models.ManyToManyField(related_name='attempts', through='payments.AttemptInvoice', to='invoices.invoice'),
        ),
        migrations.AddConstraint(
            model_name='attemptinvoice',
            constraint=models.UniqueConstraint(fields=('attempt', 'invoice'), name='attempt_invoice_once'),
        ),
        migrations.AddConstraint(
            model_name='attemptinvoice',
            constraint=models.UniqueConstraint(condition=models.Q(('live', True)), fields=('invoice',), name='one_live_attempt'),
        ),
        migrations.AddConstraint(
            model_name='attemptinvoice',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='attempt_part_positive'),
        ),
        migrations.RunSQL(FORWARD, BACKWARD),
    ]
