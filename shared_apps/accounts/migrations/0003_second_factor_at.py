"""Since when an account has a second factor, filled from the rows that it sums up: applications and passkeys."""

from django.db import migrations, models

FILL = """
UPDATE accounts_account SET second_factor_at = found.since
FROM (
    SELECT account_id, min(since) AS since FROM (
        SELECT account_id, confirmed_at AS since FROM accounts_secondfactor WHERE confirmed_at IS NOT NULL
        UNION ALL
        SELECT account_id, created_at FROM accounts_passkey
    ) AS factors GROUP BY account_id
) AS found
WHERE found.account_id = accounts_account.id
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0002_team")]
    operations = [
        migrations.AddField(
            model_name="account", name="second_factor_at", field=models.DateTimeField(null=True)
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
