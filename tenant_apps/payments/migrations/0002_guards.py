"""Triggers that refuse what no program may do to money, even without the services.

Their statements take the schema from the table of the trigger, so they are right with any search_path.
"""

from django.db import migrations

# Any change of allocations changes the invoice's `paid`. The amount is added or subtracted, not summed again: an
# UPDATE that waited for another transaction sees the new `paid` of that transaction, but a sum would count only the
# allocations that it saw before it waited.
PAID = """
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
NO_PAID = """
DROP TRIGGER payments_payment_cancel_keeps_paid ON payments_payment;
DROP FUNCTION payments_cancel_keeps_paid();
DROP TRIGGER payments_allocation_keeps_paid ON payments_allocation;
DROP FUNCTION payments_keep_paid();
"""

# The state of an attempt changes only as `states.EDGES` says. `manage.py draw_states --sql` writes this SQL, and a
# test compares the two. A change of EDGES needs another migration.
STATES = """
CREATE FUNCTION payments_guard_state() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF (OLD.state || '>' || NEW.state) NOT IN (
        'created>started',
        'created>failed',
        'created>expired',
        'started>paid',
        'started>refused',
        'started>abandoned',
        'started>expired',
        'started>review',
        'started>reported',
        'reported>paid',
        'reported>refused',
        'refused>paid',
        'abandoned>paid',
        'expired>paid',
        'expired>refused',
        'expired>abandoned',
        'expired>review',
        'expired>reported',
        'review>paid',
        'review>refused'
    ) THEN
        RAISE EXCEPTION 'an attempt does not go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'attempt_state_edge';
    END IF;
    RETURN NEW;
END
$body$;

CREATE TRIGGER payments_attempt_guards_state BEFORE UPDATE OF state ON payments_attempt
    FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state) EXECUTE FUNCTION payments_guard_state();
"""
NO_STATES = """
DROP TRIGGER payments_attempt_guards_state ON payments_attempt;
DROP FUNCTION payments_guard_state();
"""

# An allocation locks its payment before the amounts are read. If the payment is being cancelled, the allocation waits
# and then sees the cancelled payment. Without this lock, it would count on a cancelled payment for ever.
LOCKS = """
CREATE FUNCTION payments_lock_payment() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    IF TG_OP IN ('UPDATE', 'DELETE') THEN
        EXECUTE format('SELECT 1 FROM %I.payments_payment WHERE id = $1 FOR NO KEY UPDATE', TG_TABLE_SCHEMA)
            USING OLD.payment_id;
    END IF;
    IF TG_OP IN ('INSERT', 'UPDATE') THEN
        EXECUTE format('SELECT 1 FROM %I.payments_payment WHERE id = $1 FOR NO KEY UPDATE', TG_TABLE_SCHEMA)
            USING NEW.payment_id;
        RETURN NEW;
    END IF;
    RETURN OLD;
END
$body$;

CREATE TRIGGER payments_allocation_locks_payment BEFORE INSERT OR UPDATE OR DELETE ON payments_allocation
    FOR EACH ROW EXECUTE FUNCTION payments_lock_payment();
"""
NO_LOCKS = """
DROP TRIGGER payments_allocation_locks_payment ON payments_allocation;
DROP FUNCTION payments_lock_payment();
"""

# A payment is never deleted.
KEPT = """
CREATE FUNCTION payments_keep_payment() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'a payment is never deleted: cancel it' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'payment_is_kept';
END
$body$;

CREATE TRIGGER payments_payment_is_kept BEFORE DELETE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_keep_payment();
"""
NO_KEPT = """
DROP TRIGGER payments_payment_is_kept ON payments_payment;
DROP FUNCTION payments_keep_payment();
"""

# `unallocated`, the money left over of a payment, is computed each time the payment's row is written. The row is locked
# then, and every allocation or refund writes this row too, so the sums see all that was committed before. With its
# CHECK, no euro is spent twice.
LEFT_OVER = """
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
"""
NO_LEFT_OVER = """
DROP TRIGGER payments_refund_left_over ON payments_refund;
DROP TRIGGER payments_allocation_left_over ON payments_allocation;
DROP FUNCTION payments_touch_left_over();
DROP TRIGGER payments_payment_left_over ON payments_payment;
DROP FUNCTION payments_left_over();
"""

# A deposit and its payments never change.
DOCKETS = """
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
"""
NO_DOCKETS = """
DROP TRIGGER payments_payment_keep_deposited ON payments_payment;
DROP TRIGGER payments_deposit_keep_closed ON payments_deposit;
DROP FUNCTION payments_keep_closed();
"""

# Each attempt has a row for each of its invoices, even for only one: the index « one live attempt per invoice » is on
# these rows. A trigger inserts the row of an attempt on one invoice. Triggers set `live` from the state of the attempt,
# at the INSERT and at each change of state, and ignore what a program writes. The rest of a row never changes. A test
# compares the list of live states with `states`.
PARTS = """
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
"""
NO_PARTS = """
DROP TRIGGER payments_part_frozen ON payments_attemptinvoice;
DROP FUNCTION payments_part_is_frozen();
DROP TRIGGER payments_attempt_parts_follow ON payments_attempt;
DROP FUNCTION payments_parts_follow();
DROP TRIGGER payments_part_reads_state ON payments_attemptinvoice;
DROP FUNCTION payments_part_begins();
DROP TRIGGER payments_attempt_has_part ON payments_attempt;
DROP FUNCTION payments_part_of_single();
"""

# A line of the ledger is never changed and never deleted.
LEDGER = """
CREATE FUNCTION payments_keep_ledger() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'a line of the ledger does not change' USING ERRCODE = 'restrict_violation';
END
$body$;
CREATE TRIGGER payments_ledgerline_stays BEFORE UPDATE OR DELETE ON payments_ledgerline
    FOR EACH ROW EXECUTE FUNCTION payments_keep_ledger();
"""
NO_LEDGER = """
DROP TRIGGER payments_ledgerline_stays ON payments_ledgerline;
DROP FUNCTION payments_keep_ledger();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0001_initial"), ("invoices", "0002_guards")]
    operations = [
        migrations.RunSQL(PAID, NO_PAID),
        migrations.RunSQL(STATES, NO_STATES),
        migrations.RunSQL(LOCKS, NO_LOCKS),
        migrations.RunSQL(KEPT, NO_KEPT),
        migrations.RunSQL(LEFT_OVER, NO_LEFT_OVER),
        migrations.RunSQL(DOCKETS, NO_DOCKETS),
        migrations.RunSQL(PARTS, NO_PARTS),
        migrations.RunSQL(LEDGER, NO_LEDGER),
    ]
