"""Which towns of the registry changed, for the caches of other processes (tenants/hosts/changes.py, decision 39)."""

from django.db import migrations

FORWARD = """
CREATE TABLE public.tenants_change (
    town_id bigint NOT NULL,
    xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX tenants_change_xid ON public.tenants_change (xid);
CREATE INDEX tenants_change_at ON public.tenants_change (at);

CREATE FUNCTION public.tenants_note_change() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    becomes jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
BEGIN
    IF was = becomes THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.tenants_change (town_id)
    SELECT DISTINCT (side ->> TG_ARGV[0])::bigint FROM unnest(ARRAY[was, becomes]) AS side
    WHERE side ? TG_ARGV[0];
    -- Whoever writes takes away what everybody has read; never waiting for another who does the same.
    DELETE FROM public.tenants_change WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM public.tenants_change WHERE at < clock_timestamp() - interval '1 day'
        LIMIT 100 FOR UPDATE SKIP LOCKED));
    RETURN NULL;
END $$;

CREATE TRIGGER tenants_town_changed AFTER INSERT OR UPDATE OR DELETE ON public.tenants_town
    FOR EACH ROW EXECUTE FUNCTION public.tenants_note_change('id');
CREATE TRIGGER tenants_domain_changed AFTER INSERT OR UPDATE OR DELETE ON public.tenants_domain
    FOR EACH ROW EXECUTE FUNCTION public.tenants_note_change('tenant_id');
"""

BACKWARD = """
DROP TRIGGER tenants_town_changed ON public.tenants_town;
DROP TRIGGER tenants_domain_changed ON public.tenants_domain;
DROP FUNCTION public.tenants_note_change();
DROP TABLE public.tenants_change;
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
