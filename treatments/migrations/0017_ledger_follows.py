"""Each line of a lot's ledger begins with what the line before it left.

The first begins with what is there: a lot may be older than its ledger.
"""

from django.db import migrations

FOLLOWS = """
CREATE OR REPLACE FUNCTION treatments_movement_follows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.before_ml <> coalesce((
        SELECT after_ml FROM treatments_movement
        WHERE lot_id = NEW.lot_id AND number = NEW.number - 1
    ), NEW.before_ml) THEN
        RAISE EXCEPTION 'lot % held another amount before line %', NEW.lot_id, NEW.number
            USING ERRCODE = 'check_violation', CONSTRAINT = 'movement_follows';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER ab_movement_follows AFTER INSERT ON treatments_movement
    FOR EACH ROW EXECUTE FUNCTION treatments_movement_follows();
"""
BACK = """
DROP TRIGGER IF EXISTS ab_movement_follows ON treatments_movement;
DROP FUNCTION IF EXISTS treatments_movement_follows();
"""


class Migration(migrations.Migration):
    dependencies = [("treatments", "0016_consent_document")]

    operations = [migrations.RunSQL(FOLLOWS, BACK)]
