"""The invoice's `paid` follows the allocations, whatever program writes them.

The amount is added and taken away rather than summed again: an UPDATE that waited for another
transaction sees that one's new `paid`, but would sum the allocations it saw before waiting.
The statements name their schema from the trigger's own table, so they are right under any search_path.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION payments_keep_paid() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    live boolean;
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        EXECUTE format('SELECT cancelled_at IS NULL FROM %I.payments_payment WHERE id = $1', TG_TABLE_SCHEMA)
            INTO live USING OLD.payment_id;
        IF live THEN
            EXECUTE format('UPDATE %I.invoices_invoice SET paid = paid - $1 WHERE id = $2', TG_TABLE_SCHEMA)
                USING OLD.amount, OLD.invoice_id;
        END IF;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        EXECUTE format('SELECT cancelled_at IS NULL FROM %I.payments_payment WHERE id = $1', TG_TABLE_SCHEMA)
            INTO live USING NEW.payment_id;
        IF live THEN
            EXECUTE format('UPDATE %I.invoices_invoice SET paid = paid + $1 WHERE id = $2', TG_TABLE_SCHEMA)
                USING NEW.amount, NEW.invoice_id;
        END IF;
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER payments_allocation_keeps_paid AFTER INSERT OR UPDATE OR DELETE ON payments_allocation
    FOR EACH ROW EXECUTE FUNCTION payments_keep_paid();

CREATE FUNCTION payments_cancel_keeps_paid() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format(
        'UPDATE %1$I.invoices_invoice AS i SET paid = i.paid %2$s a.amount '
        'FROM %1$I.payments_allocation AS a WHERE a.payment_id = $1 AND a.invoice_id = i.id',
        TG_TABLE_SCHEMA, CASE WHEN NEW.cancelled_at IS NULL THEN '+' ELSE '-' END) USING NEW.id;
    RETURN NULL;
END
$body$;

CREATE TRIGGER payments_payment_cancel_keeps_paid AFTER UPDATE OF cancelled_at ON payments_payment
    FOR EACH ROW WHEN ((OLD.cancelled_at IS NULL) <> (NEW.cancelled_at IS NULL))
    EXECUTE FUNCTION payments_cancel_keeps_paid();
"""

BACKWARD = """
DROP TRIGGER payments_payment_cancel_keeps_paid ON payments_payment;
DROP FUNCTION payments_cancel_keeps_paid();
DROP TRIGGER payments_allocation_keeps_paid ON payments_allocation;
DROP FUNCTION payments_keep_paid();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("invoices", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
