INSERT OVERWRITE {target}
WITH catalogue AS (
  SELECT
    content_id, genre, runtime_s, valid_from,
    lead(valid_from) OVER (PARTITION BY content_id ORDER BY valid_from NULLS FIRST) AS valid_until
  FROM {content}
),
joined AS (
  SELECT
    e.user_id,
    coalesce(e.region, 'unknown') AS region,
    e._event_time AS moment,
    coalesce(c.genre, 'unknown') AS genre,
    CASE WHEN e.device_type IN ('tv', 'mobile', 'tablet', 'desktop', 'console')
      THEN e.device_type ELSE 'unknown' END AS device_type,
    coalesce(
      element_at(
        array('night', 'morning', 'afternoon', 'evening'),
        CAST(hour(from_utc_timestamp(e._event_time, z.time_zone)) / 6 AS INT) + 1
      ),
      'unknown'
    ) AS daypart,
    CASE WHEN e.watch_duration BETWEEN 0 AND 86400 THEN CAST(e.watch_duration AS BIGINT) END
      AS watch_seconds,
    CASE WHEN c.runtime_s > 0 THEN c.runtime_s END AS runtime_s,
    CASE WHEN e.completion BETWEEN 0 AND 1 THEN floor(e.completion * 1000000 + 0.5D) END
      AS completion_micros
  FROM {events} AS e
  LEFT JOIN catalogue AS c
    ON c.content_id = e.content_id
    AND (c.valid_from IS NULL OR c.valid_from <= e._event_time)
    AND (c.valid_until IS NULL OR c.valid_until > e._event_time)
  LEFT JOIN {time_zones} AS z ON z.region = coalesce(e.region, 'unknown')
  WHERE e._event_time >= TIMESTAMP '{hour}'
    AND e._event_time < TIMESTAMP '{hour}' + INTERVAL 1 HOUR
    AND e.user_id <> ''
),
carried AS (
  SELECT
    user_id,
    max(struct(session_end, session_start, session_events, session_watch_seconds)) AS carried
  FROM {sessions}
  WHERE hour = TIMESTAMP '{hour}' - INTERVAL 1 HOUR AND session_end >= hour + INTERVAL 30 MINUTES
  GROUP BY user_id
),
placed AS (
  SELECT
    j.*,
    c.carried,
    coalesce(lag(j.moment) OVER (PARTITION BY j.user_id ORDER BY j.moment), c.carried.session_end) AS last
  FROM joined AS j LEFT JOIN carried AS c ON c.user_id = j.user_id
),
begun AS (
  SELECT
    *,
    max(CASE WHEN last IS NULL OR moment > last + INTERVAL 30 MINUTES THEN moment END)
      OVER (PARTITION BY user_id ORDER BY moment) AS begun
  FROM placed
),
views AS (
  SELECT
    *,
    coalesce(begun, carried.session_start) AS session_start,
    CASE WHEN begun IS NULL THEN carried END AS before
  FROM begun
),
cells AS (
  SELECT
    user_id, session_start, before, region, genre, device_type, daypart,
    max(moment) AS last,
    count(*) AS events,
    coalesce(sum(watch_seconds), 0) AS watch_seconds,
    coalesce(
      sum(CASE WHEN watch_seconds >= 0 THEN least(watch_seconds, runtime_s) * 1000000 DIV runtime_s END),
      0
    ) AS viewed_micros,
    count(completion_micros) AS completion_events,
    coalesce(sum(completion_micros), 0) AS completion_micros,
    count_if(completion_micros >= 900000) AS finished
  FROM views
  GROUP BY user_id, session_start, before, region, genre, device_type, daypart
),
parts AS (
  SELECT
    user_id, session_start, before, region,
    max(last) AS last,
    sum(events) AS events,
    sum(watch_seconds) AS watch_seconds,
    sort_array(collect_list(struct(
      genre, device_type, daypart, events, watch_seconds, viewed_micros, completion_events,
      completion_micros, finished
    ))) AS patterns
  FROM cells
  GROUP BY user_id, session_start, before, region
)
SELECT
  user_id,
  region,
  substring(sha2(concat(user_id, '/', unix_micros(session_start)), 256), 1, 32) AS session_id,
  session_start,
  max(last) OVER session AS session_end,
  before IS NOT NULL AS continued,
  sum(events) OVER session + coalesce(before.session_events, 0) AS session_events,
  sum(watch_seconds) OVER session + coalesce(before.session_watch_seconds, 0)
    AS session_watch_seconds,
  events,
  watch_seconds,
  patterns,
  TIMESTAMP '{hour}' AS hour
FROM parts
WINDOW session AS (PARTITION BY user_id, session_start)
