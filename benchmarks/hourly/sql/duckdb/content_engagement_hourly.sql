COPY (
  SELECT
    content_id,
    region,
    max(title) AS title,
    max(genre) AS genre,
    count(*) AS views,
    count(DISTINCT user_id) AS unique_viewers,
    coalesce(sum(CASE WHEN watch_duration BETWEEN 0 AND 86400 THEN watch_duration END), 0)::BIGINT
      AS watch_seconds,
    avg(CASE WHEN completion BETWEEN 0 AND 1 THEN completion END) AS mean_completion,
    TIMESTAMPTZ '{hour}' AS hour
  FROM {events}
  WHERE _event_time >= TIMESTAMPTZ '{hour}'
    AND _event_time < TIMESTAMPTZ '{hour}' + INTERVAL 1 HOUR
  GROUP BY content_id, region
) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
