-- Who and what could serve a visit, and what keeps them from it: asked by every booking. A function,
-- so that a connection plans it once: planning took several times as long as answering.
--
-- _start and _end are the patient's; the practitioner is needed from _hands_on, and the room is
-- clean again at _clean. _earliest is _start less the longest service, which lets an index help: by
-- the day of the location where it can, since a room and a device never leave theirs.
-- The hours worked are compared by the clock, from _clock_from to _clock_until; spans that touch are
-- one: nobody leaves between two of them. (The clock runs backwards within a visit where summer time
-- ends.) _opens to _zone are the opening hours as the caller knows them.
CREATE OR REPLACE FUNCTION treatments_candidates(
    _location bigint, _patient bigint, _room bigint, _apart_from bigint,
    _role text, _room_kind text, _device_kind text,
    _earliest timestamptz, _start timestamptz, _hands_on timestamptz,
    _end timestamptz, _clean timestamptz,
    _day date, _weekday integer, _clock_from time, _clock_until time,
    _opens time, _closes time, _closed_weekdays smallint[], _closes_on_holidays boolean,
    _holiday_region text, _country text, _zone text
) RETURNS TABLE (kind text, id bigint, state text)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    worked CONSTANT tsrange := tsrange(
        DATE '2000-01-01' + LEAST(_clock_from, _clock_until),
        DATE '2000-01-01' + GREATEST(_clock_from, _clock_until)
    );
BEGIN
RETURN QUERY SELECT found.kind, found.id, found.state FROM (
    SELECT 'practitioner' AS kind, s.id, s.name::text AS title, CASE
        WHEN EXISTS (
            SELECT FROM treatments_appointment a
            WHERE a.practitioner_id = s.id AND a.starts_at > _earliest AND a.starts_at < _end
            AND COALESCE(a.practitioner_from, a.starts_at) < _end AND a.ends_at > _hands_on
            AND a.status NOT IN ('cancelled', 'no_show') AND a.id <> _apart_from
        ) THEN 'busy'
        WHEN EXISTS (
            SELECT FROM treatments_block b
            WHERE b.staff_id = s.id AND b.starts_at < _end AND b.ends_at > _hands_on
        ) THEN 'blocked'
        WHEN EXISTS (
            SELECT FROM clinic_dayhours d
            WHERE d.staff_id = s.id AND d.location_id = _location AND d.day = _day
        ) THEN CASE WHEN EXISTS (
            SELECT FROM clinic_dayhours d
            WHERE d.staff_id = s.id AND d.location_id = _location AND d.day = _day
            AND d.starts_at IS NOT NULL
            HAVING range_agg(
                tsrange(DATE '2000-01-01' + d.starts_at, DATE '2000-01-01' + d.ends_at)
            ) @> worked
        ) THEN 'free' ELSE 'off' END
        WHEN EXISTS (
            SELECT FROM clinic_workinghours w
            WHERE w.staff_id = s.id AND w.location_id = _location
        ) AND NOT EXISTS (
            SELECT FROM clinic_workinghours w
            WHERE w.staff_id = s.id AND w.location_id = _location AND w.weekday = _weekday
            HAVING range_agg(
                tsrange(DATE '2000-01-01' + w.starts_at, DATE '2000-01-01' + w.ends_at)
            ) @> worked
        ) THEN 'off'
        ELSE 'free' END AS state
    FROM clinic_staff s JOIN clinic_membership m ON m.staff_id = s.id
    WHERE m.location_id = _location AND s.role = _role AND s.is_active
    UNION ALL
    SELECT 'room', r.id, r.name, CASE
        WHEN EXISTS (
            SELECT FROM treatments_appointment a
            WHERE a.location_id = _location AND a.room_id = r.id
            AND a.starts_at > _earliest AND a.starts_at < _clean
            AND COALESCE(a.room_until, a.ends_at) > _start
            AND a.status NOT IN ('cancelled', 'no_show') AND a.id <> _apart_from
        ) THEN 'busy'
        WHEN EXISTS (
            SELECT FROM treatments_block b
            WHERE b.room_id = r.id AND b.starts_at < _clean AND b.ends_at > _start
        ) THEN 'blocked'
        ELSE 'free' END
    FROM clinic_room r
    WHERE r.location_id = _location AND r.is_active
    AND (_room_kind = '' OR r.kind = _room_kind OR r.id = _room)
    UNION ALL
    SELECT 'device', v.id, v.make, CASE
        WHEN EXISTS (
            SELECT FROM treatments_appointment a
            WHERE a.location_id = _location AND a.device_id = v.id
            AND a.starts_at > _earliest AND a.starts_at < _clean
            AND COALESCE(a.practitioner_from, a.starts_at) < _clean
            AND COALESCE(a.room_until, a.ends_at) > _hands_on
            AND a.status NOT IN ('cancelled', 'no_show') AND a.id <> _apart_from
        ) THEN 'busy'
        WHEN EXISTS (
            SELECT FROM treatments_block b
            WHERE b.device_id = v.id AND b.starts_at < _clean AND b.ends_at > _hands_on
        ) THEN 'blocked'
        ELSE 'free' END
    FROM clinic_device v
    WHERE _device_kind <> ''
    AND v.location_id = _location AND v.is_active AND v.kind = _device_kind
    UNION ALL
    SELECT 'patient', p.id, p.family_name, CASE
        WHEN EXISTS (
            SELECT FROM treatments_appointment a
            WHERE a.patient_id = p.id AND a.starts_at > _earliest AND a.starts_at < _end
            AND a.ends_at > _start
            AND a.status NOT IN ('cancelled', 'no_show') AND a.id <> _apart_from
        ) THEN 'busy'
        ELSE 'free' END
    FROM patients_patient p WHERE p.id = _patient
    UNION ALL
    SELECT 'place', l.id, l.name, CASE
        WHEN EXISTS (
            SELECT FROM treatments_block b
            WHERE b.location_id = l.id
            AND b.staff_id IS NULL AND b.room_id IS NULL AND b.device_id IS NULL
            AND b.starts_at < _end AND b.ends_at > _start
        ) THEN 'blocked'
        WHEN (l.opens_at, l.closes_at, l.closed_weekdays, l.closes_on_holidays, l.holiday_region,
              l.country_id, l.timezone) IS DISTINCT FROM
             (_opens, _closes, _closed_weekdays, _closes_on_holidays, _holiday_region,
              _country, _zone) THEN 'changed'
        WHEN o.id IS NULL THEN 'usual'
        ELSE 'own' END
    FROM clinic_location l
    LEFT JOIN clinic_locationday o ON o.location_id = l.id AND o.day = _day
    WHERE l.id = _location
) AS found ORDER BY found.kind, found.title, found.id;
END $$;
