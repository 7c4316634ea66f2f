-- Values that break a business rule stay in `events`; they do not enter sums and means here. The mean is
-- of decimals: that of doubles depends on the order of rows, and a recompute gave other last digits.
SELECT
  content_id,
  region,
  max(title) AS title,
  max(genre) AS genre,
  count(*) AS views,
  count(DISTINCT user_id) AS unique_viewers,
  coalesce(sum(CASE WHEN watch_duration BETWEEN 0 AND 86400 THEN watch_duration END), 0)
    AS watch_seconds,
  CAST(avg(CAST(CASE WHEN completion BETWEEN 0 AND 1 THEN completion END AS DECIMAL(9, 6))) AS DOUBLE)
    AS mean_completion
FROM events
GROUP BY content_id, region
