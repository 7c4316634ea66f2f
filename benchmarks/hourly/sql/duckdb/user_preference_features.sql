COPY (
  WITH sessions AS (
    SELECT *, date_diff('hour', hour, TIMESTAMPTZ '{hour}') AS age
    FROM {sessions}
    WHERE hour > TIMESTAMPTZ '{hour}' - INTERVAL 168 HOURS AND hour <= TIMESTAMPTZ '{hour}'
  ),
  recent AS (
    SELECT * FROM sessions
    SEMI JOIN (SELECT DISTINCT user_id, region FROM sessions WHERE age = 0)
    USING (user_id, region)
  ),
  totals AS (
    SELECT
      user_id, region,
      count(DISTINCT session_id) AS sessions,
      sum(events)::BIGINT AS events,
      sum(watch_seconds)::BIGINT AS watch_seconds
    FROM recent
    GROUP BY user_id, region
  ),
  weighed AS (
    SELECT
      user_id, region, p.genre, p.device_type, p.daypart,
      w * (p.events * 1000000 + p.viewed_micros * 4) AS confidence,
      w * p.completion_events AS rated,
      w * p.completion_micros AS completion,
      w * p.finished AS finished
    FROM (
      SELECT
        user_id, region, round(10000 * pow(2, -age / 48))::BIGINT AS w, unnest(patterns) AS p
      FROM recent
    )
  ),
  folded AS (
    SELECT
      user_id, region, genre, device_type, daypart,
      grouping_id(genre, device_type, daypart) AS view,
      sum(confidence)::BIGINT AS confidence,
      sum(rated)::BIGINT AS rated,
      sum(completion)::BIGINT AS completion,
      sum(finished)::BIGINT AS finished
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
      max(confidence) FILTER (view = 7) AS confidence,
      max(rated) FILTER (view = 7) AS rated,
      max(completion) FILTER (view = 7) AS completion,
      max(finished) FILTER (view = 7) AS finished,
      list_sort(list({{'c': -confidence, 'genre': genre, 'device_type': device_type,
        'daypart': daypart, 'rated': rated, 'finished': finished}}) FILTER (view = 0)) AS patterns,
      list_sort(list({{'c': -confidence, 'genre': genre, 'rated': rated,
        'finished': finished}}) FILTER (view = 3)) AS genres,
      list_sort(list({{'c': -confidence, 'device_type': device_type, 'rated': rated,
        'finished': finished}}) FILTER (view = 5)) AS devices,
      list_sort(list({{'c': -confidence, 'daypart': daypart, 'rated': rated,
        'finished': finished}}) FILTER (view = 6)) AS dayparts
    FROM folded
    GROUP BY user_id, region
  )
  SELECT
    user_id,
    region,
    DATE '{date}' AS snapshot_date,
    list_transform(patterns, lambda p: {{'genre': p.genre, 'device_type': p.device_type,
      'daypart': p.daypart, 'affinity': -p.c / confidence,
      'completion_rate': p.finished / nullif(p.rated, 0)}}) AS watch_pattern_affinity,
    list_transform(genres, lambda p: {{'genre': p.genre, 'affinity': -p.c / confidence,
      'completion_rate': p.finished / nullif(p.rated, 0)}}) AS genre_affinity,
    list_transform(devices, lambda p: {{'device_type': p.device_type, 'affinity': -p.c / confidence,
      'completion_rate': p.finished / nullif(p.rated, 0)}}) AS device_affinity,
    list_transform(dayparts, lambda p: {{'daypart': p.daypart, 'affinity': -p.c / confidence,
      'completion_rate': p.finished / nullif(p.rated, 0)}}) AS daypart_affinity,
    confidence / (10000 * 1000000::BIGINT) AS confidence,
    finished / nullif(rated, 0) AS completion_rate,
    completion / nullif(rated * 1000000, 0) AS mean_completion,
    sessions,
    events,
    watch_seconds,
    TIMESTAMPTZ '{hour}' AS hour
  FROM rows JOIN totals USING (user_id, region)
) TO '{target}' (FORMAT parquet, COMPRESSION zstd)
