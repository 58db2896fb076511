"""A product that the town has closed gets no new invoice, whatever publishes it.

The statement names its schema from the trigger's own table, so it is right under any search_path.
"""

from django.db import migrations

# FOR SHARE: who closes the product waits for what is being published in it, and the other way round.
NO_NEW_INVOICE = """
CREATE FUNCTION invoices_guard_product() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    ended timestamptz;
BEGIN
    EXECUTE format('SELECT ended_at FROM %I.products_product WHERE id = $1 FOR SHARE', TG_TABLE_SCHEMA)
        INTO ended USING NEW.product_id;
    IF ended IS NOT NULL THEN
        RAISE EXCEPTION 'a closed product gets no new invoice'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'closed_product_gets_no_invoice';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER invoices_invoice_guards_product BEFORE UPDATE OF state ON invoices_invoice
    FOR EACH ROW WHEN (OLD.state = 'draft' AND NEW.state = 'published') EXECUTE FUNCTION invoices_guard_product();
"""
REVERSE = """
DROP TRIGGER invoices_invoice_guards_product ON invoices_invoice;
DROP FUNCTION invoices_guard_product();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0002_guards"), ("products", "0002_the_life_of_a_product")]
    operations = [migrations.RunSQL(NO_NEW_INVOICE, REVERSE)]
