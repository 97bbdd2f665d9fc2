"""What the tables stand on: PostgreSQL extensions, and names folded for searching."""

from django.contrib.postgres.operations import (
    BtreeGistExtension,
    TrigramExtension,
    UnaccentExtension,
)
from django.db import migrations

# unaccent() is only STABLE, as its dictionary could be changed; naming the dictionary makes the
# wrapper safe to index and to use in a generated column.
FOLD = """
CREATE OR REPLACE FUNCTION clinic_fold(value text) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
AS $$ SELECT lower(public.unaccent('public.unaccent'::regdictionary, value)) $$
"""


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    # Whatever order the rest takes: the first exclusion needs the extensions.
    run_before = [("clinic", "0001_tables")]
    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(FOLD, "DROP FUNCTION clinic_fold(text)"),
    ]
