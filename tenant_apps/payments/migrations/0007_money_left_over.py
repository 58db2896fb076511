"""What is left of a payment is kept by the database; a docket and its payments do not change once it is closed.

`unallocated` is computed again whenever the payment's row is written: the row's lock is held by then, and whoever
allocates or refunds touches that row too, so the sums see all that was committed before. With its CHECK no euro is
spent twice, whatever program writes. The statements name their schema from the trigger's own table.
"""

from django.db import migrations

FORWARD = """
CREATE FUNCTION payments_left_over() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    EXECUTE format(
        'SELECT $1 - coalesce((SELECT sum(amount) FROM %1$I.payments_allocation WHERE payment_id = $2), 0) '
        '- coalesce((SELECT sum(amount) FROM %1$I.payments_refund WHERE payment_id = $2), 0)', TG_TABLE_SCHEMA)
        INTO NEW.unallocated USING NEW.amount, NEW.id;
    RETURN NEW;
END
$body$;

CREATE TRIGGER payments_payment_left_over BEFORE INSERT OR UPDATE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_left_over();

CREATE FUNCTION payments_touch_left_over() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        EXECUTE format('UPDATE %I.payments_payment SET unallocated = 0 WHERE id = $1', TG_TABLE_SCHEMA)
            USING OLD.payment_id;
    END IF;
    IF TG_OP = 'INSERT' OR (TG_OP = 'UPDATE' AND NEW.payment_id <> OLD.payment_id) THEN
        EXECUTE format('UPDATE %I.payments_payment SET unallocated = 0 WHERE id = $1', TG_TABLE_SCHEMA)
            USING NEW.payment_id;
    END IF;
    RETURN NULL;
END
$body$;

CREATE TRIGGER payments_allocation_left_over AFTER INSERT OR UPDATE OR DELETE ON payments_allocation
    FOR EACH ROW EXECUTE FUNCTION payments_touch_left_over();
CREATE TRIGGER payments_refund_left_over AFTER INSERT OR UPDATE OR DELETE ON payments_refund
    FOR EACH ROW EXECUTE FUNCTION payments_touch_left_over();

CREATE FUNCTION payments_keep_closed() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'a closed docket does not change' USING ERRCODE = 'restrict_violation';
END
$body$;

CREATE TRIGGER payments_deposit_keep_closed BEFORE UPDATE OR DELETE ON payments_deposit
    FOR EACH ROW EXECUTE FUNCTION payments_keep_closed();
CREATE TRIGGER payments_payment_keep_deposited BEFORE UPDATE OF deposit_id, amount, means ON payments_payment
    FOR EACH ROW WHEN (OLD.deposit_id IS NOT NULL AND (OLD.deposit_id, OLD.amount, OLD.means)
        IS DISTINCT FROM (NEW.deposit_id, NEW.amount, NEW.means))
    EXECUTE FUNCTION payments_keep_closed();

UPDATE payments_payment AS p SET payer_id = i.payer_id
  FROM payments_attempt AS a JOIN invoices_invoice AS i ON i.id = a.invoice_id WHERE a.id = p.attempt_id;
UPDATE payments_payment AS p SET payer_id = i.payer_id
  FROM payments_allocation AS l JOIN invoices_invoice AS i ON i.id = l.invoice_id
 WHERE l.payment_id = p.id AND p.payer_id IS NULL;
UPDATE payments_payment SET unallocated = 0;
-- Nothing may wait for the commit: the next migration of the same transaction may alter these tables.
SET CONSTRAINTS ALL IMMEDIATE;
"""

BACKWARD = """
DROP TRIGGER payments_payment_keep_deposited ON payments_payment;
DROP TRIGGER payments_deposit_keep_closed ON payments_deposit;
DROP FUNCTION payments_keep_closed();
DROP TRIGGER payments_refund_left_over ON payments_refund;
DROP TRIGGER payments_allocation_left_over ON payments_allocation;
DROP FUNCTION payments_touch_left_over();
DROP TRIGGER payments_payment_left_over ON payments_payment;
DROP FUNCTION payments_left_over();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0006_counter")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
