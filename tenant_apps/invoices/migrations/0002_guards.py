"""What no program may do to an invoice or to an avoir, whichever it is.

The statements name their schema from the trigger's own table, so they are right under any search_path.
"""

from django.db import migrations

# An avoir is never changed and never deleted.
CREDITS_STAY = """
CREATE FUNCTION invoices_keep_credits() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'an avoir does not change' USING ERRCODE = 'restrict_violation';
END
$body$;
CREATE TRIGGER invoices_credit_stays BEFORE UPDATE OR DELETE ON invoices_credit
    FOR EACH ROW EXECUTE FUNCTION invoices_keep_credits();
"""
NO_CREDITS_STAY = """
DROP TRIGGER invoices_credit_stays ON invoices_credit;
DROP FUNCTION invoices_keep_credits();
"""

# A cancelled invoice does not come back, and one that has an avoir is not hidden.
# The edges are those of `states.INVOICE_EDGES`; a test compares them.
STATES = """
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
NO_STATES = """
DROP TRIGGER invoices_invoice_guards_state ON invoices_invoice;
DROP FUNCTION invoices_guard_state();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_initial")]
    operations = [
        migrations.RunSQL(CREDITS_STAY, NO_CREDITS_STAY),
        migrations.RunSQL(STATES, NO_STATES),
    ]
