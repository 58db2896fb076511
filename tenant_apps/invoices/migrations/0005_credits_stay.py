"""An avoir is never changed and never deleted."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION invoices_keep_credits() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION 'an avoir does not change' USING ERRCODE = 'restrict_violation';
END
$body$;
CREATE TRIGGER invoices_credit_stays BEFORE UPDATE OR DELETE ON invoices_credit
    FOR EACH ROW EXECUTE FUNCTION invoices_keep_credits();
"""
BACKWARD = """
DROP TRIGGER invoices_credit_stays ON invoices_credit;
DROP FUNCTION invoices_keep_credits();
"""


class Migration(migrations.Migration):
    dependencies = [("invoices", "0004_credits")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
