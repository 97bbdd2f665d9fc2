"""Rules that reach over several tables, which neither a check nor an exclusion can span."""

from django.db import migrations

# A block and the appointments it keeps out are in two tables. Raised as an exclusion all the same,
# under a name of its own. Whoever makes a block locks the table of appointments first
# (diary/blocks.py), so that neither can be written unseen by the other.
KEEP_OUT = """
CREATE OR REPLACE FUNCTION treatments_keep_out_of_blocks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    hands_on timestamptz := COALESCE(NEW.practitioner_from, NEW.starts_at);
    clean timestamptz := COALESCE(NEW.room_until, NEW.ends_at);
BEGIN
    IF EXISTS (
        SELECT FROM treatments_block b
        WHERE b.ends_at > NEW.starts_at AND b.starts_at < clean AND (
            (b.staff_id = NEW.practitioner_id
                AND b.starts_at < NEW.ends_at AND b.ends_at > hands_on)
            OR b.room_id = NEW.room_id
            OR (b.device_id = NEW.device_id AND b.ends_at > hands_on)
            OR (b.location_id = NEW.location_id AND b.starts_at < NEW.ends_at
                AND b.staff_id IS NULL AND b.room_id IS NULL AND b.device_id IS NULL)
        )
    ) THEN
        RAISE EXCEPTION 'appointment lies in blocked time'
            USING ERRCODE = '23P01', CONSTRAINT = 'not_in_blocked_time',
            TABLE = 'treatments_appointment';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ab_not_in_block_when_booked AFTER INSERT ON treatments_appointment
FOR EACH ROW WHEN (NEW.overlap_reason = '' AND NEW.status NOT IN ('cancelled', 'no_show'))
EXECUTE FUNCTION treatments_keep_out_of_blocks();

CREATE TRIGGER ab_not_in_block_when_moved AFTER UPDATE ON treatments_appointment
FOR EACH ROW WHEN (
    NEW.overlap_reason = '' AND NEW.status NOT IN ('cancelled', 'no_show')
    AND (
        OLD.status IN ('cancelled', 'no_show')
        OR (OLD.starts_at, OLD.ends_at, OLD.practitioner_from, OLD.room_until,
            OLD.practitioner_id, OLD.room_id, OLD.device_id)
        IS DISTINCT FROM (NEW.starts_at, NEW.ends_at, NEW.practitioner_from, NEW.room_until,
            NEW.practitioner_id, NEW.room_id, NEW.device_id)
    )
)
EXECUTE FUNCTION treatments_keep_out_of_blocks();
"""
LET_IN = """
DROP TRIGGER ab_not_in_block_when_booked ON treatments_appointment;
DROP TRIGGER ab_not_in_block_when_moved ON treatments_appointment;
DROP FUNCTION treatments_keep_out_of_blocks();
"""

# What a plan holds is in another table than what was booked of it. The trigger takes the plan's row
# first, as the actions do, so that two who book the last session see each other.
WITHIN_PLAN = """
CREATE OR REPLACE FUNCTION treatments_course_fits(course bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    held integer;
BEGIN
    PERFORM 1 FROM treatments_plan WHERE id = course FOR UPDATE;
    SELECT count(*) INTO held FROM (
        SELECT FROM treatments_session s WHERE s.plan_id = course
        UNION ALL
        SELECT FROM treatments_plannedvisit v JOIN treatments_appointment a
            ON a.id = v.appointment_id
        WHERE v.plan_id = course AND a.status NOT IN ('cancelled', 'no_show')
        AND NOT EXISTS (SELECT FROM treatments_session s WHERE s.appointment_id = a.id)
    ) AS every;
    IF held > (SELECT COALESCE(sum(sessions), 0) FROM treatments_phase WHERE plan_id = course) THEN
        RAISE EXCEPTION 'the plan holds fewer sessions'
            USING ERRCODE = '23514', CONSTRAINT = 'visit_within_plan',
            TABLE = 'treatments_plannedvisit';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION treatments_visit_within_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.number > (
        SELECT COALESCE(sum(sessions), 0) FROM treatments_phase WHERE plan_id = NEW.plan_id
    ) THEN
        RAISE EXCEPTION 'the plan has no session of this number'
            USING ERRCODE = '23514', CONSTRAINT = 'visit_within_plan',
            TABLE = 'treatments_plannedvisit';
    END IF;
    IF NOT EXISTS (
        SELECT FROM treatments_plan p JOIN treatments_appointment a ON a.patient_id = p.patient_id
        WHERE p.id = NEW.plan_id AND a.id = NEW.appointment_id
    ) THEN
        RAISE EXCEPTION 'the appointment is another patient''s'
            USING ERRCODE = '23514', CONSTRAINT = 'visit_of_the_same_patient',
            TABLE = 'treatments_plannedvisit';
    END IF;
    IF TG_OP = 'INSERT' THEN
        PERFORM treatments_course_fits(NEW.plan_id);
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER ab_visit_within_plan AFTER INSERT OR UPDATE ON treatments_plannedvisit
FOR EACH ROW EXECUTE FUNCTION treatments_visit_within_plan();

CREATE OR REPLACE FUNCTION treatments_visit_back_in_plan() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM treatments_course_fits(v.plan_id)
    FROM treatments_plannedvisit v WHERE v.appointment_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER ab_visit_back_in_plan AFTER UPDATE OF status ON treatments_appointment
FOR EACH ROW WHEN (
    OLD.status IN ('cancelled', 'no_show') AND NEW.status NOT IN ('cancelled', 'no_show')
)
EXECUTE FUNCTION treatments_visit_back_in_plan();
"""
WITHOUT = """
DROP TRIGGER ab_visit_back_in_plan ON treatments_appointment;
DROP TRIGGER ab_visit_within_plan ON treatments_plannedvisit;
DROP FUNCTION treatments_visit_back_in_plan();
DROP FUNCTION treatments_visit_within_plan();
DROP FUNCTION treatments_course_fits(bigint);
"""

# Each line of a lot's ledger begins with what the line before it left. The first begins with what
# is there: a lot may be older than its ledger.
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

# Reading, withdrawing and countersigning are said once; a consent is of its plan's patient.
ONCE = """
CREATE OR REPLACE FUNCTION public.treatments_consent_once() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    owner bigint;
BEGIN
    IF NEW.signed_at IS NOT NULL AND (TG_OP = 'INSERT' OR OLD.signed_at IS NULL) THEN
        SELECT patient_id INTO owner FROM public.treatments_plan WHERE id = NEW.plan_id;
        IF owner <> NEW.patient_id THEN
            RAISE EXCEPTION 'consent % is of another patient than its plan', NEW.id
                USING ERRCODE = 'check_violation';
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' AND (
        (OLD.read_at IS NOT NULL AND NEW.read_at IS DISTINCT FROM OLD.read_at)
        OR (OLD.withdrawn_at IS NOT NULL
            AND (NEW.withdrawn_at, NEW.withdrawal_reason)
                IS DISTINCT FROM (OLD.withdrawn_at, OLD.withdrawal_reason))
        OR (OLD.countersigned_at IS NOT NULL
            AND (NEW.countersigned_at, NEW.countersigned_by_id, NEW.countersignature_svg,
                 NEW.countersignature_strokes)
                IS DISTINCT FROM (OLD.countersigned_at, OLD.countersigned_by_id,
                                  OLD.countersignature_svg, OLD.countersignature_strokes))
    ) THEN
        RAISE EXCEPTION 'consent %: what was said once cannot change', OLD.id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = public.clinic_refused(TG_TABLE_NAME, to_jsonb(OLD), 'patient_id');
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_once BEFORE INSERT OR UPDATE ON treatments_consent
FOR EACH ROW EXECUTE FUNCTION public.treatments_consent_once();
"""
ANY_TIME = """
DROP TRIGGER ab_once ON treatments_consent;
DROP FUNCTION public.treatments_consent_once();
"""

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

# Age stands with the patient, its limit with the country and who signed in rows of their own.
BY_WHOM = """
CREATE FUNCTION public.treatments_consent_by_whom() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    minor boolean;
BEGIN
    IF NEW.template_id IS NOT NULL AND NEW.signed_at IS NOT NULL
       AND (TG_OP = 'INSERT' OR OLD.signed_at IS NULL) THEN
        SELECT extract(year FROM age((NEW.signed_at AT TIME ZONE place.timezone)::date,
                                     person.birth_date)) < country.age_of_majority
        INTO minor
        FROM public.treatments_plan plan
        JOIN public.clinic_location place ON place.id = plan.location_id
        JOIN public.clinic_countryprofile country ON country.code = place.country_id
        JOIN public.patients_patient person ON person.id = NEW.patient_id
        WHERE plan.id = NEW.plan_id;
        IF (minor AND NOT NEW.is_of_minor) OR (NEW.is_of_minor AND NOT EXISTS (
            SELECT FROM public.treatments_consentattendant one
            WHERE one.consent_id = NEW.id AND one.role = 'guardian'
        )) THEN
            RAISE EXCEPTION 'consent % of a minor without a holder of parental authority', NEW.id
                USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_of_minor_has_guardian',
                TABLE = 'treatments_consent';
        END IF;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        IF OLD.countersigned_at IS NOT NULL
           AND (NEW.identity_seen, NEW.waived) IS DISTINCT FROM (OLD.identity_seen, OLD.waived) THEN
            RAISE EXCEPTION 'consent %: what was said once cannot change', OLD.id
                USING ERRCODE = 'object_not_in_prerequisite_state';
        END IF;
        IF NEW.countersigned_at IS NOT NULL AND OLD.countersigned_at IS NULL THEN
            IF EXISTS (
                SELECT FROM jsonb_array_elements_text(NEW.awaits) awaited(role)
                WHERE NOT NEW.waived ? awaited.role AND NOT EXISTS (
                    SELECT FROM public.treatments_consentattendant one
                    WHERE one.consent_id = NEW.id AND one.role = awaited.role)
            ) THEN
                RAISE EXCEPTION 'consent % still waits for who was there', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_countersigned_last',
                    TABLE = 'treatments_consent';
            END IF;
            IF NEW.identity_seen = '' AND EXISTS (
                SELECT FROM public.treatments_consentattendant one
                WHERE one.consent_id = NEW.id AND one.identity = 'link'
            ) THEN
                RAISE EXCEPTION 'consent %: nobody has seen who the holder is', NEW.id
                    USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_guardian_was_seen',
                    TABLE = 'treatments_consent';
            END IF;
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_by_whom BEFORE INSERT OR UPDATE ON treatments_consent
FOR EACH ROW EXECUTE FUNCTION public.treatments_consent_by_whom();

CREATE FUNCTION public.treatments_attendant_awaited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM public.treatments_consent consent
        WHERE consent.id = NEW.consent_id AND consent.signed_at IS NOT NULL
          AND NOT consent.awaits ? NEW.role
    ) THEN
        RAISE EXCEPTION 'consent % waits for no %', NEW.consent_id, NEW.role
            USING ERRCODE = 'check_violation', CONSTRAINT = 'consent_attendant_is_awaited',
            TABLE = 'treatments_consentattendant';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER ab_awaited BEFORE INSERT ON treatments_consentattendant
FOR EACH ROW EXECUTE FUNCTION public.treatments_attendant_awaited();
"""
BY_ANYBODY = """
DROP TRIGGER ab_awaited ON treatments_consentattendant;
DROP FUNCTION public.treatments_attendant_awaited();
DROP TRIGGER ab_by_whom ON treatments_consent;
DROP FUNCTION public.treatments_consent_by_whom();
"""


class Migration(migrations.Migration):
    replaces = [("treatments", "0016_consent_document"), ("treatments", "0017_ledger_follows")]
    dependencies = [("treatments", "0001_tables")]
    operations = [
        migrations.RunSQL(KEEP_OUT, LET_IN),
        migrations.RunSQL(WITHIN_PLAN, WITHOUT),
        migrations.RunSQL(FOLLOWS, BACK),
        migrations.RunSQL(ONCE, ANY_TIME),
        migrations.RunSQL(BIND, RELEASE),
        migrations.RunSQL(BY_WHOM, BY_ANYBODY),
    ]
