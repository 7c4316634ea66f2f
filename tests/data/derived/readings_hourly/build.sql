SELECT sensor, count(*) AS readings, sum(value) AS total FROM events GROUP BY sensor
