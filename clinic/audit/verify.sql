-- Recompute each seal from the entries it names; a fault is a row.
WITH recomputed AS (
    SELECT s.id, s.count, s.hash, s.previous_hash, s.entries, s.sealed_at,
           lag(s.hash, 1, '') OVER (ORDER BY s.id) AS should_follow,
           b.n, b.content
    FROM clinic_auditseal s
    LEFT JOIN LATERAL (
        SELECT count(*) AS n, string_agg(to_jsonb(e)::text, E'\n' ORDER BY e.id) AS content
        FROM clinic_auditentry e
        WHERE e.id BETWEEN s.first_id AND s.last_id AND e.id <@ s.entries::int8multirange
    ) b ON true
)
SELECT id,
       CASE
           WHEN previous_hash <> should_follow THEN 'the seal does not follow the one before it'
           WHEN n <> count THEN format('the seal covers %%s entries, %%s are there', count, n)
           ELSE 'the entries are not what was sealed'
       END
FROM recomputed
WHERE previous_hash <> should_follow OR n <> count OR hash <> encode(sha256(convert_to(
    concat_ws(E'\n', previous_hash, to_jsonb(sealed_at), entries, coalesce(content, '')), 'UTF8')), 'hex')
UNION ALL
SELECT 0, format('entry %%s was never sealed', e.id)
FROM clinic_auditentry e
WHERE e.at < now() - %(grace)s::interval
  AND NOT EXISTS (
      SELECT FROM clinic_auditseal s
      WHERE e.id BETWEEN s.first_id AND s.last_id AND e.id <@ s.entries::int8multirange
  )
UNION ALL
SELECT 0, format('entry %%s says it was written at %%s, which is still to come', e.id, e.at)
FROM clinic_auditentry e
WHERE e.at > clock_timestamp() + interval '1 minute'
UNION ALL
SELECT 0, format('entry %%s says it was written %%s before the seal that precedes its own',
                 e.id, p.sealed_at - e.at)
FROM clinic_auditseal s
JOIN clinic_auditseal p ON p.id = (SELECT max(id) FROM clinic_auditseal WHERE id < s.id)
JOIN clinic_auditentry e
  ON e.id BETWEEN s.first_id AND s.last_id AND e.id <@ s.entries::int8multirange
WHERE e.at < p.sealed_at - interval '1 hour' AND p.sealed_at > s.sealed_at - interval '1 day'
  AND (SELECT count FROM clinic_auditseal WHERE id = p.id) < %(limit)s
ORDER BY 1
