-- Seal the entries that no seal covers yet. Seals older than an hour are taken as complete below
-- their last id: no transaction lives that long (idle_in_transaction_session_timeout is 30 s).
WITH settled AS (
    SELECT coalesce(max(last_id), 0) AS id FROM clinic_auditseal
    WHERE sealed_at < now() - interval '1 hour'
), recent AS (
    SELECT coalesce(range_agg(r), '{}'::int8multirange) AS ids
    FROM clinic_auditseal s, unnest(s.entries::int8multirange) AS r
    WHERE s.last_id > (SELECT id FROM settled)
), batch AS (
    SELECT e.* FROM clinic_auditentry e
    WHERE e.id > (SELECT id FROM settled) AND NOT (e.id <@ (SELECT ids FROM recent))
    ORDER BY e.id LIMIT %(limit)s
), link AS (
    SELECT count(*) AS n, min(id) AS first_id, max(id) AS last_id,
           range_agg(int8range(id, id, '[]')) AS ids,
           string_agg(to_jsonb(batch)::text, E'\n' ORDER BY id) AS content
    FROM batch
), chain AS (
    SELECT coalesce((SELECT hash FROM clinic_auditseal ORDER BY id DESC LIMIT 1), '') AS previous
)
INSERT INTO clinic_auditseal (sealed_at, entries, first_id, last_id, count, previous_hash, hash)
SELECT now(), ids::text, first_id, last_id, n, previous,
       encode(sha256(convert_to(
           concat_ws(E'\n', previous, to_jsonb(now()), ids, content), 'UTF8')), 'hex')
FROM link, chain
WHERE n > 0
RETURNING count
