INSERT OVERWRITE {target}
SELECT
  content_id,
  region,
  max(title) AS title,
  max(genre) AS genre,
  count(*) AS views,
  count(DISTINCT user_id) AS unique_viewers,
  coalesce(sum(CASE WHEN watch_duration BETWEEN 0 AND 86400 THEN watch_duration END), 0)
    AS watch_seconds,
  avg(CASE WHEN completion BETWEEN 0 AND 1 THEN completion END) AS mean_completion,
  TIMESTAMP '{hour}' AS hour
FROM {events}
WHERE _event_time >= TIMESTAMP '{hour}' AND _event_time < TIMESTAMP '{hour}' + INTERVAL 1 HOUR
GROUP BY content_id, region
