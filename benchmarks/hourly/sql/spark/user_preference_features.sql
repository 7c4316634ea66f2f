INSERT OVERWRITE {target}
WITH sessions AS (
  SELECT *, (unix_seconds(TIMESTAMP '{hour}') - unix_seconds(hour)) DIV 3600 AS age
  FROM {sessions}
  WHERE hour > TIMESTAMP '{hour}' - INTERVAL 168 HOURS AND hour <= TIMESTAMP '{hour}'
),
recent AS (
  SELECT * FROM sessions
  LEFT SEMI JOIN (SELECT DISTINCT user_id, region FROM sessions WHERE age = 0)
  USING (user_id, region)
),
totals AS (
  SELECT
    user_id, region,
    count(DISTINCT session_id) AS sessions,
    sum(events) AS events,
    sum(watch_seconds) AS watch_seconds
  FROM recent
  GROUP BY user_id, region
),
weighed AS (
  SELECT
    user_id, region, genre, device_type, daypart,
    w * (events * 1000000 + viewed_micros * 4) AS confidence,
    w * completion_events AS rated,
    w * completion_micros AS completion,
    w * finished AS finished
  FROM (
    SELECT
      user_id, region, CAST(round(10000 * pow(2, -age / 48)) AS BIGINT) AS w, inline(patterns)
    FROM recent
  )
),
folded AS (
  SELECT
    user_id, region, genre, device_type, daypart,
    grouping(genre) * 4 + grouping(device_type) * 2 + grouping(daypart) AS view,
    sum(confidence) AS confidence,
    sum(rated) AS rated,
    sum(completion) AS completion,
    sum(finished) AS finished
  FROM weighed
  GROUP BY GROUPING SETS (
    (user_id, region, genre, device_type, daypart),
    (user_id, region, genre),
    (user_id, region, device_type),
    (user_id, region, daypart),
    (user_id, region)
  )
),
rows AS (
  SELECT
    user_id, region,
    max(CASE WHEN view = 7 THEN confidence END) AS confidence,
    max(CASE WHEN view = 7 THEN rated END) AS rated,
    max(CASE WHEN view = 7 THEN completion END) AS completion,
    max(CASE WHEN view = 7 THEN finished END) AS finished,
    sort_array(collect_list(CASE WHEN view = 0 THEN
      struct(-confidence AS c, genre, device_type, daypart, rated, finished) END)) AS patterns,
    sort_array(collect_list(CASE WHEN view = 3 THEN
      struct(-confidence AS c, genre, rated, finished) END)) AS genres,
    sort_array(collect_list(CASE WHEN view = 5 THEN
      struct(-confidence AS c, device_type, rated, finished) END)) AS devices,
    sort_array(collect_list(CASE WHEN view = 6 THEN
      struct(-confidence AS c, daypart, rated, finished) END)) AS dayparts
  FROM folded
  GROUP BY user_id, region
)
SELECT
  user_id,
  region,
  DATE '{hour}' AS snapshot_date,
  transform(patterns, p -> named_struct(
    'genre', p.genre, 'device_type', p.device_type, 'daypart', p.daypart,
    'affinity', -p.c / confidence, 'completion_rate', try_divide(p.finished, p.rated)
  )) AS watch_pattern_affinity,
  transform(genres, p -> named_struct('genre', p.genre,
    'affinity', -p.c / confidence, 'completion_rate', try_divide(p.finished, p.rated)
  )) AS genre_affinity,
  transform(devices, p -> named_struct('device_type', p.device_type,
    'affinity', -p.c / confidence, 'completion_rate', try_divide(p.finished, p.rated)
  )) AS device_affinity,
  transform(dayparts, p -> named_struct('daypart', p.daypart,
    'affinity', -p.c / confidence, 'completion_rate', try_divide(p.finished, p.rated)
  )) AS daypart_affinity,
  confidence / (10000 * 1000000L) AS confidence,
  try_divide(finished, rated) AS completion_rate,
  try_divide(completion, rated * 1000000) AS mean_completion,
  sessions,
  events,
  watch_seconds,
  TIMESTAMP '{hour}' AS hour
FROM rows JOIN totals USING (user_id, region)
