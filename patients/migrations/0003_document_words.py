"""What a document says and whose it is stays from its first moment on.

`closed_when` of the model begins only when its file is there.
"""

from django.db import migrations

FIX_WORDS = """
CREATE FUNCTION patients_document_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the words of document % are fixed', OLD.id
        USING ERRCODE = 'object_not_in_prerequisite_state',
        CONSTRAINT = 'document_words_are_fixed', TABLE = 'patients_document';
END $$;

CREATE TRIGGER ab_words_fixed BEFORE UPDATE ON patients_document FOR EACH ROW
WHEN (
    (OLD.patient_id, OLD.public_id, OLD.kind, OLD.title, OLD.language, OLD.html, OLD.file_name,
     OLD.created_at, OLD.created_by)
    IS DISTINCT FROM
    (NEW.patient_id, NEW.public_id, NEW.kind, NEW.title, NEW.language, NEW.html, NEW.file_name,
     NEW.created_at, NEW.created_by)
)
EXECUTE FUNCTION patients_document_words();
"""
LOOSEN_WORDS = """
DROP TRIGGER ab_words_fixed ON patients_document;
DROP FUNCTION patients_document_words();
"""


class Migration(migrations.Migration):
    replaces = [("patients", "0011_document_seals")]
    dependencies = [("patients", "0002_tables")]
    operations = [migrations.RunSQL(FIX_WORDS, LOOSEN_WORDS)]
