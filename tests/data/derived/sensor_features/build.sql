SELECT sensor, CAST(max(hour) AS DATE) AS day, max(hours) AS longest, avg(last) AS mean
FROM sensor_runs
GROUP BY sensor
