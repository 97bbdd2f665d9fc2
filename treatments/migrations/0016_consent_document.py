from django.db import migrations

# A document stands in another table than what is proved by it, so a trigger looks whose it is.
BIND = """
CREATE FUNCTION treatments_consent_document() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.document_id IS NOT NULL AND NOT EXISTS (
        SELECT FROM patients_document d
        WHERE d.id = NEW.document_id AND d.patient_id = NEW.patient_id AND d.kind = 'consent'
    ) THEN
        RAISE EXCEPTION 'the document is not a consent of this patient'
            USING ERRCODE = '23514', CONSTRAINT = 'consent_document_of_the_same_patient',
            TABLE = 'treatments_consent';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER ab_document_of_patient BEFORE INSERT OR UPDATE OF document_id, patient_id
ON treatments_consent FOR EACH ROW EXECUTE FUNCTION treatments_consent_document();
"""
RELEASE = """
DROP TRIGGER ab_document_of_patient ON treatments_consent;
DROP FUNCTION treatments_consent_document();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("treatments", "0015_consent_in_full"),
        ("patients", "0011_document_seals"),
    ]

    operations = [migrations.RunSQL(BIND, RELEASE)]
