-- A file that was merged into another takes nothing new: neither a new row nor one moved into it.
-- Argument: the way from a row to its patient. The patient's row is locked for share, so that a
-- merge that is under way is waited for, and waits for what is being written.
CREATE OR REPLACE FUNCTION patients_keep_out_of_merged_files() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    first_hop text := split_part(TG_ARGV[0], '>', 1);
    target bigint;
    file bigint;
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(NEW) -> first_hop = to_jsonb(OLD) -> first_hop THEN
        RETURN NEW;
    END IF;
    file := public.clinic_patient_of(to_jsonb(NEW), TG_ARGV[0]);
    SELECT merged_into_id INTO target FROM public.patients_patient WHERE id = file FOR SHARE;
    IF target IS NOT NULL THEN
        RAISE EXCEPTION 'file % was merged into %: nothing new is written to it', file, target
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END $$;

-- A file is merged only into one that is itself in use.
CREATE OR REPLACE FUNCTION patients_merge_into_a_file_in_use() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM public.patients_patient
        WHERE id = NEW.merged_into_id AND merged_into_id IS NOT NULL
        FOR SHARE;
    IF FOUND THEN
        RAISE EXCEPTION 'file % was itself merged into another', NEW.merged_into_id
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER ab_merge_into_a_file_in_use
    BEFORE INSERT OR UPDATE OF merged_into_id ON patients_patient
    FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL)
    EXECUTE FUNCTION patients_merge_into_a_file_in_use();
