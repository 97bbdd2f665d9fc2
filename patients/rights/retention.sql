-- Until when a file must be kept, by the record itself. Put in place after every migrate, beside
-- `clinic_care`, which is made from what the models declare (`care_at`).

-- The same day so many years on; 1 March where that year has no 29 February.
CREATE OR REPLACE FUNCTION clinic_years_on(day date, years integer) RETURNS date
LANGUAGE sql IMMUTABLE AS $$
    SELECT moved + CASE WHEN extract(day FROM moved) < extract(day FROM day) THEN 1 ELSE 0 END
    FROM (SELECT (day + make_interval(years => years))::date AS moved) there
$$;

-- The first day on which a file may go: so many years from the last care; for who was a minor then,
-- the birthday at `minors_until` if that is later.
CREATE OR REPLACE FUNCTION clinic_kept_for(
    born date, last_on date, years integer, minors_until integer) RETURNS date
LANGUAGE sql IMMUTABLE AS $$
    SELECT greatest(
        public.clinic_years_on(last_on, years),
        CASE WHEN last_on < public.clinic_years_on(born, 18)
             THEN public.clinic_years_on(born, minors_until) END)
$$;

-- What obliges to keep a file, a line for each place: wherever the person is known or had care.
-- All files of one person are kept together, by the youngest birth date among them. One who is
-- known nowhere is kept as the strictest place of all would. No line: there never was any care.
CREATE OR REPLACE FUNCTION clinic_keeping(file bigint)
RETURNS TABLE (location_id bigint, last_on date, until date, by_age boolean)
LANGUAGE sql STABLE AS $$
    WITH files AS (
        SELECT array_agg(own.id) AS ids, max(own.birth_date) AS born
        FROM public.patients_patient asked
        JOIN public.patients_patient own
            ON own.id = coalesce(asked.merged_into_id, asked.id)
            OR own.merged_into_id = coalesce(asked.merged_into_id, asked.id)
        WHERE asked.id = file
    ), care AS (
        SELECT given.moment, given.place FROM files, public.clinic_care(files.ids) given
    ), last AS (
        SELECT (max(moment) AT TIME ZONE 'UTC')::date AS last_on FROM care
    ), known AS (
        SELECT place FROM care WHERE place IS NOT NULL
        UNION
        SELECT r.location_id FROM files, public.patients_registration r
        WHERE r.patient_id = ANY(files.ids)
    ), rules AS (
        SELECT l.id, coalesce(l.retention_years, c.retention_years)::integer AS years,
               coalesce(l.minors_until_age, c.minors_until_age)::integer AS minors_until
        FROM public.clinic_location l JOIN public.clinic_countryprofile c ON c.code = l.country_id
        WHERE l.id IN (SELECT place FROM known) OR NOT EXISTS (SELECT 1 FROM known)
    )
    SELECT rules.id, last.last_on, ends.until,
           ends.until > public.clinic_years_on(last.last_on, rules.years)
    FROM files, last, rules, LATERAL (
        SELECT public.clinic_kept_for(files.born, last.last_on, rules.years, rules.minors_until)
            AS until
    ) ends
    WHERE last.last_on IS NOT NULL
$$;

-- The first day on which nothing obliges to keep a file; NULL where nothing ever did.
CREATE OR REPLACE FUNCTION clinic_kept_until(file bigint) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT max(until) FROM public.clinic_keeping(file)
$$;

-- A decision to erase is refused while the file must be kept, whoever writes it.
CREATE OR REPLACE FUNCTION clinic_refuse_early_erasure() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    until date := public.clinic_kept_until(NEW.file);
BEGIN
    IF until > current_date THEN
        RAISE EXCEPTION 'file % must be kept until %', NEW.file, until
            USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;
    RETURN NEW;
END $$;
