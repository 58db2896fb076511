"""What no program may do to money, whatever it is: the walls behind `moves.py` and `settling.py`.

The list of edges is what `manage.py draw_states --sql` gave when this was written; a test compares it with
`states.EDGES`, and a change of EDGES wants another migration.

An allocation takes its payment's row lock before the amounts are read: one that comes while the payment is being
cancelled waits, and then sees it cancelled. Without it, it would count for ever on a cancelled payment.
"""

from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION payments_guard_state() RETURNS trigger LANGUAGE plpgsql AS $body$
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

CREATE FUNCTION payments_keep_payment() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'a payment is never deleted: cancel it' USING ERRCODE = 'check_violation',
        CONSTRAINT = 'payment_is_kept';
END
$body$;

CREATE TRIGGER payments_payment_is_kept BEFORE DELETE ON payments_payment
    FOR EACH ROW EXECUTE FUNCTION payments_keep_payment();
"""

BACKWARD = """
DROP TRIGGER payments_payment_is_kept ON payments_payment;
DROP FUNCTION payments_keep_payment();
DROP TRIGGER payments_allocation_locks_payment ON payments_allocation;
DROP FUNCTION payments_lock_payment();
DROP TRIGGER payments_attempt_guards_state ON payments_attempt;
DROP FUNCTION payments_guard_state();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_findings_and_trials")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
