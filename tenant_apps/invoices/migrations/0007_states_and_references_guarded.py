"""What no program may do to an invoice: bring a cancelled one back, hide one that has an avoir, spell a reference twice.

The edges are those of `states.INVOICE_EDGES`; a test compares them.
"""

from django.db import migrations, models
from django.db.models.functions import Upper

FORWARD = """
UPDATE invoices_invoice SET reference = upper(reference) WHERE reference <> upper(reference);

CREATE FUNCTION invoices_guard_state() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    has_credit boolean;
BEGIN
    IF (OLD.state || '>' || NEW.state) NOT IN ('draft>published', 'published>draft', 'published>cancelled') THEN
        RAISE EXCEPTION 'an invoice does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'invoice_state_edge';
    END IF;
    IF NEW.state = 'draft' THEN
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.invoices_credit WHERE invoice_id = $1)', TG_TABLE_SCHEMA)
            INTO has_credit USING NEW.id;
        IF has_credit THEN
            RAISE EXCEPTION 'an invoice that has an avoir stays visible'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'credited_invoice_stays';
        END IF;
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER invoices_invoice_guards_state BEFORE UPDATE OF state ON invoices_invoice
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION invoices_guard_state();
"""
BACKWARD = """
DROP TRIGGER invoices_invoice_guards_state ON invoices_invoice;
DROP FUNCTION invoices_guard_state();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0006_one_index_a_column")]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("reference", Upper("reference"))), name="invoice_reference_canonical"
            ),
        ),
    ]
