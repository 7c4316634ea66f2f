SELECT country, count(*) AS orders, sum(amount) AS amount
FROM events
GROUP BY country
