COPY (
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
        ['night', 'morning', 'afternoon', 'evening'][
          hour(e._event_time AT TIME ZONE z.time_zone) // 6 + 1
        ],
        'unknown'
      ) AS daypart,
      CASE WHEN e.watch_duration BETWEEN 0 AND 86400 THEN e.watch_duration::BIGINT END
        AS watch_seconds,
      CASE WHEN c.runtime_s > 0 THEN c.runtime_s END AS runtime_s,
      CASE WHEN e.completion BETWEEN 0 AND 1
        THEN floor(e.completion * 1000000 + 0.5::DOUBLE)::BIGINT END AS completion_micros
    FROM {events} AS e
    LEFT JOIN catalogue AS c
      ON c.content_id = e.content_id
      AND (c.valid_from IS NULL OR c.valid_from <= e._event_time)
      AND (c.valid_until IS NULL OR c.valid_until > e._event_time)
    LEFT JOIN {time_zones} AS z ON z.region = coalesce(e.region, 'unknown')
    WHERE e._event_time >= TIMESTAMPTZ '{hour}'
      AND e._event_time < TIMESTAMPTZ '{hour}' + INTERVAL 1 HOUR
      AND e.user_id <> ''
  ),
  carried AS (
    SELECT
      user_id,
      max(session_end) AS session_end,
      max_by(session_start, session_end) AS session_start,
      max_by(session_events, session_end) AS session_events,
      max_by(session_watch_seconds, session_end) AS session_watch_seconds
    FROM {sessions}
    WHERE hour = TIMESTAMPTZ '{hour}' - INTERVAL 1 HOUR
      AND session_end >= hour + INTERVAL 30 MINUTES
    GROUP BY user_id
  ),
  placed AS (
    SELECT
      j.*,
      c.session_start AS carried_start,
      c.session_events AS carried_events,
      c.session_watch_seconds AS carried_seconds,
      coalesce(lag(j.moment) OVER (PARTITION BY j.user_id ORDER BY j.moment), c.session_end) AS last
    FROM joined AS j LEFT JOIN carried AS c ON c.user_id = j.user_id
  ),
  begun AS (
    SELECT
      *,
      max(CASE WHEN last IS NULL OR moment > last + INTERVAL 30 MINUTES THEN moment END)
        OVER (PARTITION BY user_id ORDER BY moment) AS begun
    FROM placed
  ),
  cells AS (
    SELECT
      user_id,
      coalesce(begun, carried_start) AS session_start,
      begun IS NULL AS continued,
      CASE WHEN begun IS NULL THEN carried_events ELSE 0 END AS before_events,
      CASE WHEN begun IS NULL THEN carried_seconds ELSE 0 END AS before_seconds,
      region, genre, device_type, daypart,
      max(moment) AS last,
      count(*) AS events,
      coalesce(sum(watch_seconds), 0)::BIGINT AS watch_seconds,
      coalesce(
        sum(CASE WHEN watch_seconds >= 0 THEN least(watch_seconds, runtime_s) * 1000000 // runtime_s END),
        0
      )::BIGINT AS viewed_micros,
      count(completion_micros) AS completion_events,
      coalesce(sum(completion_micros), 0)::BIGINT AS completion_micros,
      count_if(completion_micros >= 900000)::BIGINT AS finished
    FROM begun
    GROUP BY ALL
  ),
  parts AS (
    SELECT
      user_id, session_start, continued, before_events, before_seconds, region,
      max(last) AS last,
      sum(events)::BIGINT AS events,
      sum(watch_seconds)::BIGINT AS watch_seconds,
      list_sort(list({{
        'genre': genre, 'device_type': device_type, 'daypart': daypart, 'events': events,
        'watch_seconds': watch_seconds, 'viewed_micros': viewed_micros,
        'completion_events': completion_events, 'completion_micros': completion_micros,
        'finished': finished
      }})) AS patterns
    FROM cells
    GROUP BY ALL
  )
  SELECT
    user_id,
    region,
    substring(sha256(concat(user_id, '/', epoch_us(session_start))), 1, 32) AS session_id,
    session_start,
    max(last) OVER session AS session_end,
    continued,
    (sum(events) OVER session)::BIGINT + before_events AS session_events,
    (sum(watch_seconds) OVER session)::BIGINT + before_seconds AS session_watch_seconds,
    events,
    watch_seconds,
    patterns,
    TIMESTAMPTZ '{hour}' AS hour
  FROM parts
  WINDOW session AS (PARTITION BY user_id, session_start)
) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
