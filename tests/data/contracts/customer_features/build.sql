SELECT customer_id, country, sum(amount) AS spent
FROM events
GROUP BY customer_id, country
