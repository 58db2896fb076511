from django.db import migrations

# A town whose invoices were online before there were reminders is looked at once; it plans the next look itself.
# The registry's tables are there in every database of towns (tenants.databases.mirrors).
PLAN = """
INSERT INTO public.tenants_agendaitem (town_id, kind, due_at)
SELECT t.id, 'reminders', now() FROM public.tenants_town t
 WHERE t.schema_name = current_schema()
   AND EXISTS (SELECT 1 FROM invoices_invoice WHERE state = 'published' AND paid < amount)
ON CONFLICT (town_id, kind) DO NOTHING
"""


class Migration(migrations.Migration):

    dependencies = [
        ('alerts', '0001_initial'),
        ('invoices', '0001_initial'),
        ('tenants', '0001_initial'),
    ]

    operations = [migrations.RunSQL(PLAN, migrations.RunSQL.noop)]
