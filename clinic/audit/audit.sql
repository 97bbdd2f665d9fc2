-- The audit trail's functions. Installed and kept up to date after every migrate.
-- Every table is named with its schema: a temporary table of the same name, which any role may
-- make, would otherwise stand in front of it and take the entries, or the parent's state, for its own.

-- The patient of a row: 'column', or hops 'column>table.column>table.column'.
CREATE OR REPLACE FUNCTION clinic_patient_of(entry jsonb, way text) RETURNS bigint
LANGUAGE plpgsql STABLE AS $$
DECLARE
    hops text[] := string_to_array(way, '>');
    value bigint := (entry ->> hops[1])::bigint;
    hop text;
BEGIN
    FOREACH hop IN ARRAY hops[2:] LOOP
        EXIT WHEN value IS NULL;
        EXECUTE format('SELECT %I FROM public.%I WHERE id = $1',
                       split_part(hop, '.', 2), split_part(hop, '.', 1))
            INTO value USING value;
    END LOOP;
    RETURN value;
END $$;

-- Whether everything of a patient is being erased: a decision stands, its day has come, it is not
-- done, and nothing in the record obliges to keep the file: a decision alone lets nothing go
-- (`clinic_kept_until`, of the room `rights`). Only then do closed rows go, and the trail keeps that
-- they went without what they said.
CREATE OR REPLACE FUNCTION clinic_erasing(patient bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT 1 FROM public.clinic_erasure
                   WHERE file = patient AND done_at IS NULL AND due_on <= current_date) THEN
        RETURN false;
    END IF;
    RETURN coalesce(public.clinic_kept_until(patient) <= current_date, true);
END $$;

-- Row trigger: one audit entry per created, changed or deleted row, in the same transaction.
-- Arguments: the way to the patient, then columns whose values are never copied.
CREATE OR REPLACE FUNCTION clinic_audit() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    actor jsonb := coalesce(nullif(current_setting('clinic.actor', true), ''),
                            jsonb_build_object('kind', 'database', 'who', session_user)::text)::jsonb;
    hidden text[] := TG_ARGV[1:];
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    entry jsonb := coalesce(new_row, old_row);
    patient bigint := CASE WHEN TG_ARGV[0] <> '' THEN public.clinic_patient_of(entry, TG_ARGV[0]) END;
    was jsonb := old_row - hidden;
    now_is jsonb := new_row - hidden;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(key, value) INTO was
            FROM jsonb_each(old_row - hidden) WHERE value IS DISTINCT FROM new_row -> key;
        SELECT jsonb_object_agg(key, value) INTO now_is
            FROM jsonb_each(new_row - hidden) WHERE value IS DISTINCT FROM old_row -> key;
        IF was IS NULL AND now_is IS NULL THEN
            RETURN NULL;
        END IF;
    ELSIF TG_OP = 'DELETE' AND public.clinic_erasing(patient) THEN
        was := NULL;
    END IF;
    INSERT INTO public.clinic_auditentry
        (actor_kind, actor_id, who, role, request_id, patients, action, what, object_id, before, after)
    VALUES (
        actor ->> 'kind', (actor ->> 'id')::bigint, coalesce(actor ->> 'who', ''),
        coalesce(actor ->> 'role', ''), coalesce(actor ->> 'request_id', ''),
        CASE WHEN patient IS NULL THEN '{}'::bigint[] ELSE ARRAY[patient] END,
        CASE TG_OP WHEN 'INSERT' THEN 'create' WHEN 'UPDATE' THEN 'change' ELSE 'delete' END,
        TG_TABLE_NAME, coalesce(entry ->> 'id', ''), was, now_is
    );
    RETURN NULL;
END $$;

-- Entries and seals are never changed, deleted or emptied, by anyone who obeys triggers.
CREATE OR REPLACE FUNCTION clinic_append_only() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % is refused: it is append-only', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$;

-- What a refusal says of itself, from which the trail gets its entry: table, row and patient.
CREATE OR REPLACE FUNCTION clinic_refused(what text, entry jsonb, way text) RETURNS text
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN jsonb_build_object(
        'what', what, 'object_id', coalesce(entry ->> 'id', ''),
        'patient', CASE WHEN way <> '' THEN public.clinic_patient_of(entry, way) END);
END $$;

-- A closed record stays as it is. Arguments: the way to the patient, the condition over $1 (the old
-- row), columns still free.
CREATE OR REPLACE FUNCTION clinic_closed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    is_closed boolean;
    free text[] := TG_ARGV[2:];
BEGIN
    EXECUTE format('SELECT %s FROM (SELECT ($1::%I.%I).*) AS old_row',
                   TG_ARGV[1], TG_TABLE_SCHEMA, TG_TABLE_NAME)
        INTO is_closed USING OLD;
    IF is_closed AND TG_OP = 'DELETE' AND TG_ARGV[0] <> ''
       AND public.clinic_erasing(public.clinic_patient_of(to_jsonb(OLD), TG_ARGV[0])) THEN
        RETURN OLD;
    END IF;
    IF is_closed AND (TG_OP = 'DELETE' OR (to_jsonb(OLD) - free) <> (to_jsonb(NEW) - free)) THEN
        RAISE EXCEPTION '% % is signed and closed', TG_TABLE_NAME, OLD.id
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = public.clinic_refused(TG_TABLE_NAME, to_jsonb(OLD), TG_ARGV[0]);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;

-- The parts of a closed record stay too, and cannot be moved out of it or into it.
-- Arguments: the way to the patient, the column, the parent's table, its condition.
CREATE OR REPLACE FUNCTION clinic_parent_closed() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    is_closed boolean;
    old_row jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    new_row jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
BEGIN
    EXECUTE format('SELECT bool_or(%s) FROM public.%I WHERE id IN ($1, $2)', TG_ARGV[3], TG_ARGV[2])
        INTO is_closed
        USING (old_row ->> TG_ARGV[1])::bigint, (new_row ->> TG_ARGV[1])::bigint;
    IF is_closed AND TG_OP = 'DELETE'
       AND public.clinic_erasing(public.clinic_patient_of(old_row, TG_ARGV[0])) THEN
        RETURN OLD;
    END IF;
    IF coalesce(is_closed, false) THEN
        RAISE EXCEPTION '% of a signed record cannot change', TG_TABLE_NAME
            USING ERRCODE = 'object_not_in_prerequisite_state',
                DETAIL = public.clinic_refused(
                    TG_TABLE_NAME, coalesce(old_row, new_row), TG_ARGV[0]);
    END IF;
    RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
END $$;
