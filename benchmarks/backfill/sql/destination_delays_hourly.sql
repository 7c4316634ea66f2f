SELECT
  date_trunc('hour', _event_time) AS hour,
  dest,
  count(*) AS flights,
  count(DISTINCT carrier) AS carriers,
  avg(arr_delay) AS mean_arrival_delay,
  sum(distance) AS miles
FROM {events}
GROUP BY date_trunc('hour', _event_time), dest
