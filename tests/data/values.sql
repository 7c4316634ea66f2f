-- What is asked of the table of tests/support/value_cases.py: all but sums, means and spreads of doubles,
-- whose last digits depend on the order of rows. Each statement has a name.

-- all rows
SELECT *
FROM {t};

-- an older name's column alone
SELECT word, amount
FROM {t}
WHERE word IS NOT NULL;

-- a column that was dropped and came again
SELECT note, count(*)
FROM {t}
GROUP BY note;

-- fields of structs
SELECT place.town, place.zip, place.street
FROM {t};

-- counts by text
SELECT word, count(*), count(DISTINCT ratio), min(n), max(n)
FROM {t}
GROUP BY word;

-- counts by doubles
SELECT ratio, count(*), sum(n), min(word), max(word)
FROM {t}
GROUP BY ratio;

-- counts by decimals
SELECT amount, count(*), max(moment)
FROM {t}
GROUP BY amount;

-- counts by times
SELECT moment, count(*), min(amount)
FROM {t}
GROUP BY moment;

-- distinct doubles
SELECT count(DISTINCT ratio), count(DISTINCT small)
FROM {t};

-- decimals
SELECT word, sum(amount), avg(amount), sum(amount * 3), avg(CAST(ratio AS DECIMAL(9, 6)))
FROM {t}
WHERE abs(ratio) < 100
GROUP BY word;

-- sums and means of whole numbers
SELECT word, sum(n), avg(n), avg(k), sum(k DIV 3)
FROM {t}
GROUP BY word;

-- extremes of doubles
SELECT word, min(small), max(small), max(ratio)
FROM {t}
WHERE ratio <> 0
GROUP BY word;

-- extremes of text
SELECT min(word), max(word), max(upper(word)), min(lower(word))
FROM {t};

-- NaN equals itself
SELECT k, ratio
FROM {t}
WHERE ratio = double('NaN') OR ratio = 0.0;

-- NaN is the greatest
SELECT k, ratio
FROM {t}
WHERE ratio > 1.0 AND NOT small < 5;

-- zeros have a sign
SELECT k, CAST(ratio AS STRING), 1 / nullif(ratio, 0.0)
FROM {t};

-- between
SELECT k, CASE WHEN n BETWEEN 0 AND 86400 THEN n END, ratio BETWEEN 0 AND 1
FROM {t};

-- text
SELECT k, length(word), upper(word), lower(word), substring(word, 2, 2), trim(word), concat_ws('/',
  word, k), sha2(word, 256), word LIKE '%a%', word IN ('é', '東京')
FROM {t};

-- order of text
SELECT word, k
FROM {t} ORDER BY word DESC NULLS LAST, k LIMIT 50;

-- order of doubles
SELECT ratio, k
FROM {t}
ORDER BY ratio, k LIMIT 150;

-- times
SELECT k, date_trunc('hour', moment), unix_micros(moment), CAST(moment AS DATE),
  moment + INTERVAL 30 MINUTES > TIMESTAMP '2026-01-01'
FROM {t}
WHERE year(moment) BETWEEN 1900 AND 2100;

-- local times
SELECT k, hour(from_utc_timestamp(at, zone))
FROM {t}
CROSS JOIN (VALUES ('America/New_York'), ('Asia/Kolkata')) AS z(zone);

-- casts
SELECT k, CAST(n AS STRING), CAST(amount AS DOUBLE), CAST(amount AS BIGINT), CAST(k AS DECIMAL(9,
  2)), try_cast(word AS INT), CAST(small AS DOUBLE), CAST(moment AS STRING)
FROM {t};

-- rounding
SELECT k, round(ratio, 1), floor(ratio * 10 + 0.5), ceil(small), round(amount, 1)
FROM {t}
WHERE abs(ratio) < 1000;

-- division
SELECT k, try_divide(n, k), n / nullif(k, 0), n % 7, n DIV 7, pow(2, -k / 48)
FROM {t};

-- lists
SELECT k, size(parts), get(parts, 0).name, transform(parts, p -> p.weight * 2), sort_array(parts),
  element_at(array('a', 'b'), k % 2 + 1)
FROM {t};

-- lists made
SELECT word, sort_array(collect_list(struct(ratio, n, k)))
FROM {t}
GROUP BY word;

-- lists taken apart
SELECT name, count(*), sum(weight) FROM (SELECT inline(parts)
FROM {t})
GROUP BY name;

-- maps
SELECT k, tags['a'], map_keys(tags)
FROM {t};

-- windows
SELECT k, lag(at) OVER w, max(n) OVER w, row_number() OVER w, sum(n) OVER (PARTITION BY word)
FROM {t} WINDOW w AS (PARTITION BY word ORDER BY at, k);

-- joins
SELECT a.k, b.k
FROM {t} a JOIN {t} b ON a.word = b.word AND a.amount = b.amount
WHERE a.k < 40;

-- joins on doubles
SELECT a.k, b.k
FROM {t} a JOIN {t} b ON a.ratio = b.ratio
WHERE a.k < 20 AND b.k < 60;

-- joins that keep
SELECT a.k, b.n
FROM {t} a LEFT JOIN (SELECT *
FROM {t}
WHERE k < 30) b ON a.n = b.k AND a.word = b.word;

-- semi joins
SELECT k
FROM {t} a LEFT SEMI JOIN (SELECT word
FROM {t}
WHERE k < 5) b ON a.word = b.word;

-- grouping sets
SELECT word, amount, grouping(word), count(*)
FROM {t}
GROUP BY GROUPING SETS ((word, amount), (word), ());

-- an hour
SELECT k, word
FROM {t}
WHERE at >= TIMESTAMP '2026-01-01 06:00:00Z' AND at < TIMESTAMP '2026-01-01 07:00:00Z';

-- functions of doubles
SELECT k, exp(small), ln(abs(small) + 1), log10(k + 1), sin(k), tan(k), atan2(k, 7), cbrt(k), sqrt(k), degrees(k)
FROM {t};

-- sets
SELECT word, sort_array(collect_set(ratio)), sort_array(collect_set(n))
FROM {t}
GROUP BY word;

-- lists that overlap
SELECT k, arrays_overlap(array(k, n), array(1, NULL))
FROM {t};

-- text by other functions
SELECT k, initcap(word), lpad(word, 5, 'é'), reverse(word), translate(word, 'aé', 'eä'), substring(word, -2, 2),
  split(word, ''), regexp_replace(word, '[a-z]+', '#'), word RLIKE '^\\w+$', hex(word), xxhash64(word, n, ratio, amount),
  levenshtein(word, 'abc'), format_number(amount, 1)
FROM {t};

-- casts that may fail
SELECT k, try_cast(ratio AS INT), try_cast(ratio AS DECIMAL(10, 3)), try_cast(n AS TINYINT), try_cast(amount AS DECIMAL(5,
  1)), try_cast(concat(k, '.5') AS INT), try_cast('1d' AS DOUBLE), try_cast(concat('2026-02-', k % 40) AS DATE),
  CAST(CAST(ratio AS FLOAT) AS STRING), CAST(place AS STRING), CAST(tags AS STRING)
FROM {t};

-- calendar
SELECT k, weekofyear(moment), date_format(moment, 'EEE yyyy-MM-dd HH:mm:ss.SSSSSS'), date_trunc('week', moment),
  last_day(moment), months_between(moment, at), datediff(at, moment), from_unixtime(k * 100000), window(at, '15 minutes').start
FROM {t};

-- numbers
SELECT k, pmod(-k, 7), try_multiply(n, n), bround(small, 1), round(k, -1), amount / 3, amount * amount, nanvl(ratio, 0.0),
  greatest(ratio, small), least(amount, 0), conv(k, 10, 16), ratio <=> small, n & 255, hash(place, parts)
FROM {t};

-- lists and maps by other functions
SELECT k, array_distinct(array(ratio, small, 0.0, -0.0)), array_max(array(ratio, small)), array_union(array(k, 1), array(1, n)),
  array_join(array(word, 'x', NULL), '-'), aggregate(parts, 0L, (acc, p) -> acc + coalesce(p.weight, 0L)),
  map_entries(tags), map_filter(tags, (x, v) -> v > 0), to_json(place), parts.name
FROM {t};

-- other aggregates
SELECT word, bit_xor(n), max_by(word, k), percentile(n, 0.5), approx_count_distinct(n), count_if(n > 0), bool_or(n > 0),
  try_sum(n), sum(amount * 1000000000), count(*) FILTER (WHERE n > 0)
FROM {t}
GROUP BY word;

-- sets of rows
(SELECT ratio FROM {t} INTERSECT SELECT small FROM {t}) UNION ALL (SELECT ratio FROM {t} EXCEPT SELECT small FROM {t});

-- anti joins
SELECT k
FROM {t}
WHERE word NOT IN (SELECT word FROM {t} WHERE word IS NOT NULL AND k < 2);
