"""The number of a product that somebody tried to pay on stays: what it received is shown under it (decision 61).

The statement names its schema from the trigger's own table, so it is right under any search_path.
"""

from django.db import migrations

NUMBER_STAYS = """
CREATE FUNCTION payments_guard_number() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    tried boolean;
BEGIN
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I.payments_attempt WHERE product_id = $1)', TG_TABLE_SCHEMA)
        INTO tried USING NEW.id;
    IF tried THEN
        RAISE EXCEPTION 'the number of a product that has attempts does not change'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'number_with_attempts_stays';
    END IF;
    RETURN NEW;
END
$body$;
CREATE TRIGGER payments_product_guards_number BEFORE UPDATE OF numcli ON products_product
    FOR EACH ROW WHEN (OLD.numcli <> '' AND OLD.numcli IS DISTINCT FROM NEW.numcli)
    EXECUTE FUNCTION payments_guard_number();
"""
REVERSE = """
DROP TRIGGER payments_product_guards_number ON products_product;
DROP FUNCTION payments_guard_number();
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0002_guards"), ("products", "0002_the_life_of_a_product")]
    operations = [migrations.RunSQL(NUMBER_STAYS, REVERSE)]
