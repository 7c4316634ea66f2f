SELECT
  date_trunc('hour', _event_time) AS hour,
  origin,
  carrier,
  count(*) AS departures,
  sum(CASE WHEN dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled,
  sum(CASE WHEN dep_delay > 15 THEN 1 ELSE 0 END) AS delayed,
  avg(dep_delay) AS mean_delay_minutes,
  max(dep_delay) AS max_delay_minutes,
  max(wind_speed) AS wind_speed,
  min(visib) AS visibility
FROM {events}
GROUP BY date_trunc('hour', _event_time), origin, carrier
