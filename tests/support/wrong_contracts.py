"""Contracts as users get them wrong: a small change of right ones each, and what the check must say of it.

`python -m tests.support.wrong_contracts > docs/reference/wrong-contracts.md` writes the page that lists them.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from headwater.project.scaffold import make_project, plan_project
from pipeline.settings import PROJECT
from tests.support.wrong_sql import SQL

PAGE = PROJECT / "docs" / "reference" / "wrong-contracts.md"
FILES = {
    "orders": "orders/contract.yaml",
    "avsc": "orders/schemas/payload.v1.avsc",
    "csv": "orders/countries.csv",
    "table": "orders_by_country/contract.yaml",
    "sql": "orders_by_country/build.sql",
    "features": "customer_features/contract.yaml",
    "python": "orders_by_country/build.py",
}
_HEAD = """\
# Wrong contracts

<!-- Written by `python -m tests.support.wrong_contracts`. -->

What `headwater contract check` says of mistakes that are easily made. Each row is a test: a contract that is right but for
this one thing has this one mistake, told at its file, line and, in YAML, JSON and SQL, its column, and Spark is not started
for it. [What a contract may say](contract.md) is told elsewhere.

| what is wrong | told in | in what words |
| --- | --- | --- |
"""
REFERENCES = (
    "      topic:\n",
    "      references:\n"
    "        - {name: countries, source: 'file:countries.csv', on: [country], columns: [region]}\n"
    "      topic:\n",
)


@dataclass(frozen=True)
class Wrong:
    """A mistake in a file, and how it is told.

    Attributes:
        old: replaced by `new`, once; empty where `new` is the whole of the file.
        at: begins where the mistake is told; empty for the first line.
        told: the file in which it is told, where that is another.
    """

    title: str
    file: str
    old: str
    new: str
    at: str
    says: str
    told: str = ""

    @property
    def told_in(self) -> str:
        """The file in which it is told."""
        return self.told or self.file

    def write(self, folder: Path) -> None:
        """Write the contracts into `folder`, with the mistake."""
        write_right(folder)
        file = folder / FILES[self.file]
        text = file.read_text() if self.old else ""
        assert text.count(self.old) == 1 or not self.old, (self.title, self.old)
        file.write_text(text.replace(self.old, self.new) if self.old else self.new, newline="")

    def place(self, folder: Path) -> tuple[int, int]:
        """Return line and column where the mistake is to be told."""
        text = (folder / FILES[self.told_in]).read_text(encoding="utf-8-sig")
        assert text.count(self.at) == 1 or not self.at, (self.title, self.at)
        before = text[: text.index(self.at)]
        return before.count("\n") + 1, len(before) - before.rfind("\n")


def write_right(folder: Path) -> None:
    """Write contracts without a mistake: a product, a table of it, features of it."""
    project = folder.parent / f"{folder.name}_project"
    make_project(plan_project(project))
    shutil.copytree(project / "contracts", folder)
    shutil.copytree(
        PROJECT / "tests" / "data" / "contracts" / "customer_features",
        folder / "customer_features",
    )
    contract = folder / FILES["orders"]
    contract.write_text(contract.read_text().replace(*REFERENCES, 1))
    (folder / FILES["csv"]).write_text("country,region\nDE,EU\nFR,EU\n")


_PATTERN = "check: str_matches\n              arguments: {pattern: '[A-Z'}"
_RULE = "check: greater_than\n              arguments: {min_value: 0}"
_COUNTRY = '{"name": "country", "type": "string"}'
_AMOUNT = '{"type": "bytes", "logicalType": "decimal", "precision": 10, "scale": 2}'
_OF_COUNTRY = "name: country\n        logicalType: "
_SAID = '      - {name: country, logicalType: string, description: "Where to, in ISO 3166."}\n'

_GENERATE = "      topic:\n", "      generate: {GENERATE}\n      topic:\n"


def _generate(title: str, wanted: str, at: str, says: str) -> Wrong:
    new = _GENERATE[1].replace("{GENERATE}", wanted)
    return Wrong(title, "orders", _GENERATE[0], new, at, says)


YAML = [
    Wrong("a tab", "orders", "  purpose:", "\tpurpose:", "\tpurpose", "spaces; here is a tab"),
    Wrong("no space after a colon", "orders", "version: 1", "version:1", "version:1", "a colon with a space after it"),
    Wrong("a bracket that is not closed", "orders", "[us]", "[us", "[us", "a `]` for this `[`"),
    Wrong("a colon in a text", "orders", "Orders, as", "Orders: as", ": as", "quotes around a text that has `: ` in it"),
    Wrong("a quote that is not closed", "orders", "name: Orders\n", "name: 'Orders\n", "'Orders\n", "a quote at the end of this text"),
    Wrong("a key twice", "orders", "      uuid:", "      key: country\n      uuid:", "key: country", "no duplicate key: 'key' is at line 17"),
    Wrong("a key too far left", "orders", "      eventTime:", "     eventTime:", "eventTime:", "as far right as those beside it"),
    Wrong("marks of a merge", "orders", "version: 1.0.0\n", "<<<<<<< a\nversion: 1.0.0\n=======\n", "<<<<<<< a", "a merge that is not done"),
    Wrong("an alias that there is not", "orders", "purpose: Orders, as customers place them.", "purpose: *orders", "*orders", "undefined alias 'orders'"),
    Wrong("an empty contract", "orders", "", "", "", "the file has nothing in it"),
    Wrong("a list for a contract", "orders", "", "- orders\n", "", "a YAML mapping at the top"),
]  # fmt: skip
KEYS = [
    Wrong("a misspelt key of ODCS", "orders", "schema:\n", "schemas:\n", "schemas:\n  - name", "did you mean schema?"),
    Wrong("a misspelt setting", "orders", "eventTime:", "event_time:", "event_time", "did you mean eventTime?"),
    Wrong("a setting that there is not", "orders", "      topic:\n", "      gates: {lateness: 5h}\n      topic:\n", "lateness", "known keys are payload, freshness, late, ahead"),
    Wrong("no settings", "orders", "property: headwater\n", "property: settings\n", "customProperties:\n", "a custom property `headwater`"),
    Wrong("a missing setting", "orders", "      key: customer_id\n", "", "value:\n      cells", "required key: 'key'"),
    Wrong("a version of two numbers", "orders", "version: 1.0.0", "version: 1.0", "version: 1.0", "a version such as 1.2.0, not 1.0"),
    Wrong("another version of ODCS", "orders", "v3.1.0", "3.1.0", "apiVersion", "one of v3.0.2, v3.1.0, v3.2.0"),
    Wrong("no owner", "orders", "team:\n  name: sales-data\n", "team: sales-data\n", "team:", "an owner: `team.name`"),
    Wrong("a text for a list", "orders", "cells: [us]", "cells: us", "cells", "a list, not 'us'"),
    Wrong("a word for a number", "orders", "partitions: 2", "partitions: two", "partitions", "a whole number, not 'two'"),
    Wrong("a topic without partitions", "orders", "partitions: 2", "partitions: 0", "partitions", "1 or more, not 0"),
    Wrong("a duration without a unit", "orders", "      topic:\n", "      gates: {late: 5}\n      topic:\n", "late: 5", "a duration such as 10s, 5m, 72h or 7d, not 5"),
    Wrong("a gate of nothing", "orders", "      topic:\n", "      gates: {freshness: 0s}\n      topic:\n", "freshness", "more than 0"),
    Wrong("a retention in words", "orders", "retention: forever", "retention: 7 days", "retention", "forever, or {hot: <duration>, warm: <duration>}"),
    Wrong("history that Kafka deletes", "orders", "retention: forever", "retention: {hot: 7d}", "retention", "`forever`; the broker judges history by its own times"),
    Wrong("rows kept for less than records", "orders", "        history: true\n        retention: forever", "        retention: {hot: 7d, warm: 1d}", "warm", "no less than `hot`"),
    Wrong("a topic of dead letters with a blank", "orders", "      topic:\n", "      deadLetterTopic: dead letters\n      topic:\n", "deadLetterTopic", "letters, digits, `.`, `_` and `-`"),
    Wrong("a topic of dead letters that is the product's", "orders", "      topic:\n", "      deadLetterTopic: orders_v1\n      topic:\n", "deadLetterTopic", "another topic than the product's own"),
    Wrong("a topic's name with a blank", "orders", "orders_v1", "orders v1", "physicalName", "letters, digits, `.`, `_` and `-`"),
    Wrong("an object of another type", "orders", "physicalType: topic", "physicalType: kafka", "physicalType", "topic, not 'kafka'"),
    Wrong("a schema file that is not there", "orders", "payload.v1.avsc", "payload.avsc", "schemas/payload.avsc", "No such file"),
    Wrong("a folder for a schema file", "orders", "schemas/payload.v1.avsc", "schemas", "schemas\n      refer", "Is a directory"),
    Wrong("a schema listed twice", "orders", "          - schemas/payload.v1.avsc\n", 2 * "          - schemas/payload.v1.avsc\n", "payload:\n", "each once"),
]  # fmt: skip
FIELDS = [
    Wrong("a key that is no field", "orders", "key: customer_id", "key: customer", "key: customer", "did you mean customer_id?"),
    Wrong("a key that is a decimal", "orders", "key: customer_id", "key: amount", "key: amount", "a field of type string, int, long, enum; 'amount' is bytes"),
    Wrong("an event time that is no field", "orders", "eventTime: placed_at", "eventTime: created_at", "eventTime", "a field of the payload (amount, country"),
    Wrong("an event time that is a text", "orders", "eventTime: placed_at", "eventTime: country", "eventTime", "timestamp-micros or timestamp-millis; 'country' is string"),
    Wrong("a uuid that is no field", "orders", "uuid: order_id", "uuid: id", "uuid:", "a field of the payload"),
    Wrong("a field that is not described", "orders", _SAID, "", "properties:\n      - {name: order_id", "a property for the payload's field 'country'"),
    Wrong("a misspelt field", "orders", "{name: country, log", "{name: contry, log", "name: contry", "did you mean country?"),
    Wrong("a field described twice", "orders", _SAID, 2 * _SAID[:-1].replace("\"}", "\"}\n"), "name: country, logicalType: string, description: \"Where to, in ISO 3166.\"}\n      - name", "'country' is here twice"),
    Wrong("a type that Avro gives otherwise", "orders", "logicalType: number", "logicalType: string", "logicalType: string\n", "number, as in the Avro schema; not 'string'"),
    Wrong("a database's type", "orders", "        logicalType: number\n", "        logicalType: number\n        physicalType: DECIMAL(10, 2)\n", "physicalType: DEC", "no physicalType here: the Avro schema gives it"),
    Wrong("personal data in capitals", "orders", "classification: pii", "classification: PII", "classification", "'pii', which personal data is called; not 'PII'"),
    Wrong("a tag that is no list", "orders", "tags: [pii]", "tags: pii", "tags", "array, not 'pii'"),
    Wrong("a rule that there is not", "orders", "greater_than\n", "greater_then\n", "check: greater_then", "did you mean greater_than?"),
    Wrong("a rule's argument that there is not", "orders", "{min_value: 0}", "{min: 0}", "min: 0", "argument 'min_value' of greater_than; not 'min'"),
    Wrong("a rule's argument of another type", "orders", "{min_value: 0}", "{min_value: none}", "min_value: none", "a number, not 'none'"),
    Wrong("a rule for another type", "orders", _RULE, "check: str_length\n              arguments: {min_value: 1}", "check: str_length", "str_length judges text"),
    Wrong("a range that holds nothing", "orders", _RULE, "check: in_range\n              arguments: {min_value: 9, max_value: 1}", "max_value", "a range that holds a value"),
    Wrong("a rule of a whole column", "orders", _RULE, "check: unique_values_eq\n              arguments: {values: [1]}", "check: unique", "a check of rows"),
    Wrong("a rule of another library", "orders", "engine: pandera", "engine: soda", "type: custom", "engine: pandera"),
]  # fmt: skip
SCHEMAS = [
    Wrong("a comma after the last", "avsc", '-micros"}}\n', '-micros"}},\n', ",\n  ]", "no comma after the last"),
    Wrong("a missing comma", "avsc", f"{_COUNTRY},", _COUNTRY, '}\n    {"name": "amount"', "a comma, or the end of what is open"),
    Wrong("a comment in JSON", "avsc", '  "fields"', '  // all\n  "fields"', "// all", "no comments: JSON has none"),
    Wrong("an empty schema", "avsc", "", "", "", "the file has nothing in it"),
    Wrong("a key twice in JSON", "avsc", '  "name": "Order",', '  "name": "Order",\n  "name": "Sale",', '"name": "Sale"', "no duplicate key 'name'"),
    Wrong("a type of a database", "avsc", _COUNTRY, '{"name": "country", "type": "text"}', '"country"', "did you mean string?"),
    Wrong("a logical type for a type", "avsc", '{"type": "long", "logicalType": "timestamp-micros"}', '"timestamp"', '"placed_at"', 'it is a logical type: {"type": "long", "logicalType": "timestamp-micros"}'),
    Wrong("a logical type beside its type", "avsc", _AMOUNT, _AMOUNT[9:-1], '"amount"', "the logical type within the type"),
    Wrong("a misspelt logical type", "avsc", "timestamp-micros", "timestamp_micros", '"placed_at"', "did you mean timestamp-micros?"),
    Wrong("a time on an int", "avsc", '"long", "logicalType": "t', '"int", "logicalType": "t', '"placed_at"', "timestamp-micros on long, not on int"),
    Wrong("a decimal without digits", "avsc", ', "precision": 10, "scale": 2', "", '"amount"', "decimal with a `precision` of 1 or more"),
    Wrong("a default of another type", "avsc", _COUNTRY, _COUNTRY[:-1] + ', "default": 7}', '7}', "a default of the field's type; not 7"),
    Wrong("a union of two types", "avsc", _COUNTRY, '{"name": "country", "type": ["string", "int"]}', '"country"', "a type that Iceberg holds"),
    Wrong("a map that is said to be a number", "avsc", _AMOUNT, '{"type": "map", "values": "long"}', "logicalType: number\n", "object or map, as in the Avro schema; not 'number'", "orders"),
    Wrong("a time of day", "avsc", _COUNTRY, '{"name": "country", "type": {"type": "int", "logicalType": "time-millis"}}', '"country"', "no time of day"),
    Wrong("a field's name with a dash", "avsc", '"country"', '"ship-country"', '"ship-country"', "a name of letters, digits and _"),
    Wrong("a field twice", "avsc", f"{_COUNTRY},", f"{_COUNTRY},\n    " + _COUNTRY.replace("}", ', "doc": ""}') + ",", '"country", "type": "string", "doc"', "each field once"),
]  # fmt: skip
MADE_UP = [
    _generate("made-up values of no field", "{fields: {contry: {values: [DE]}}}", "contry", "did you mean country?"),
    _generate("a made-up value of another type", "{fields: {amount: {values: [5, cheap]}}}", "cheap", "a value of the field's type"),
    _generate("weights of fewer values", "{fields: {country: {values: [DE, FR], weights: [1]}}}", "weights", "a weight for each of `values`"),
    _generate("a range of texts", "{fields: {country: {range: [1, 2]}}}", "range: [1", "a field that is a number, not string"),
    _generate("nulls where there are none", "{fields: {country: {nulls: 0.5}}}", "nulls", "the field is never null"),
    _generate("late events that no gate lets through", "{late: 0.1}", "late: 0.1", "without `gates.late`"),
]  # fmt: skip
REFERENCE_DATA = [
    Wrong("reference data that is not there", "orders", "file:countries.csv", "file:country.csv", "source:", "a file that exists, not 'country.csv'"),
    Wrong("reference data without its kind", "orders", "'file:countries.csv'", "countries.csv", "source:", "file:<path> or package:<package>/<path>"),
    Wrong("a column that the data has not", "csv", "country,region", "country,area", "region]", "a column of countries.csv (country, area); not 'region'", "orders"),
    Wrong("a join on no field", "orders", "on: [country]", "on: [land]", "land]", "a field of the payload, not 'land'"),
    Wrong("semicolons between values", "csv", "", "country;region\nDE;EU\n", ";region", "commas between names and values; here is ';'"),
    Wrong("a quote in data without an end", "csv", "DE,EU", '"DE,EU', '"DE,EU', "a quote that has an end"),
]  # fmt: skip
TABLES = [
    Wrong("a table of no product", "table", "of: orders", "of: order", "of: order", "did you mean orders?"),
    Wrong("a table of nothing", "table", "of: orders", "product: orders", "product:", "known keys are of"),
    Wrong("a table named otherwise than its folder", "table", "- name: orders_by_country", "- name: orders_per_country", "name: orders_per", "'orders_by_country', as the folder is named"),
    Wrong("an object that is no table", "table", "physicalType: table", "physicalType: view", "physicalType", "table, not 'view'"),
    Wrong("a file of SQL that is not there", "table", "sql: build.sql", "sql: built.sql", "sql: built", "No such file"),
    Wrong("SQL in the place of its file", "table", "sql: build.sql", "sql: SELECT country FROM events", "sql: SELECT", "a file of its own"),
    Wrong("SQL and Python", "table", "sql: build.sql", "sql: build.sql\n          python: build.py", "value:\n          sql", "`sql` or `python`, and not both"),
    Wrong("a table that is not there, to read", "table", "sql: build.sql", "sql: build.sql\n          reads: [{table: event}]", "table: event}", "did you mean events?"),
    Wrong("a name in `reads`", "table", "sql: build.sql", "sql: build.sql\n          reads: [events]", "events]\n    prop", "a mapping such as {table: events}"),
    Wrong("no hours to read", "table", "sql: build.sql", "sql: build.sql\n          reads: [{table: events, hours: 0}]", "hours: 0", "1 or more, not 0"),
    Wrong("reference data that is not there, to read", "table", "sql: build.sql", "sql: build.sql\n          references: [country]", "country]\n    prop", "did you mean countries?"),
    Wrong("a share of late rows in percent", "table", "sql: build.sql", "sql: build.sql\n          late: {share: 10}", "share", "1 or less, not 10"),
    Wrong("a column that the engine adds", "table", "      - name: country\n", "      - {name: hour, logicalType: timestamp}\n      - name: country\n", "name: hour", "no column 'hour': the engine adds it"),
    Wrong("a source that is no column", "table", "[events.country]", "[events.land]", "transformSourceObjects: [events.land]", "not 'land'"),
    Wrong("a source without its table", "table", "[events.amount]", "[amount]", "amount]", "events.<column>"),
    Wrong("a source that the SQL does not read", "table", "[events.amount]", "[events.amount, events.customer_id]", "transformSourceObjects: [events.amount", "not 'events.customer_id', on which it does not depend"),
    Wrong("a source in the place of another", "table", "[events.amount]", "[events.placed_at]", "transformSourceObjects: [events.placed", "events.amount too: build.sql makes amount from it; not 'events.placed_at'"),
    Wrong("a source that another column is made from", "table", "[events.country]", "[events.country, events.amount]", "transformSourceObjects: [events.country, events.amount", "makes country from, or chooses its rows by; not 'events.amount', on which it does not depend"),
    Wrong("a source behind a CTE that is not said", "sql", "", "WITH recent AS (SELECT *, year(placed_at) AS y FROM events)\nSELECT country, count(*) AS orders, sum(CASE WHEN y > 2000 THEN amount END) AS amount FROM recent GROUP BY country\n", "transformSourceObjects: [events.amount]", "events.placed_at too: build.sql makes amount from it", "table"),
    Wrong("a source that only the second of two SELECTs has", "sql", "", "SELECT country, orders, sum(amount) AS amount FROM (SELECT country, 1 AS orders, amount FROM events UNION ALL SELECT customer_id, 1, amount FROM events) GROUP BY country, orders\n", "transformSourceObjects: [events.country]", "events.customer_id too: build.sql makes country from it", "table"),
    Wrong("text that is said to be a number", "table", f"{_OF_COUNTRY}string", f"{_OF_COUNTRY}integer", "logicalType: integer\n        description: Where", "the type that build.sql gives, string; not 'integer'"),
    Wrong("a number that is said to be text", "table", "logicalType: integer", "logicalType: string", "logicalType: string\n        description: Orders placed", "bigint; not 'string'"),
    Wrong("an expectation that there is not", "table", "lengths_to_equal", "length_to_equal", "type: expect", "did you mean expect_column_value_lengths_to_equal?"),
    Wrong("an expectation's argument that there is not", "table", "{value: 2}", "{length: 2}", "length: 2", "argument 'value' of expect_column_value_lengths_to_equal; not 'length'"),
    Wrong("an expectation's argument of another type", "table", "{value: 2}", "{value: two}", "value: two", "'two' is not valid"),
    Wrong("an objective of what there is not", "features", "element: customer_features", "element: customers", "element", "what the product has (orders"),
    Wrong("an objective in no unit", "features", "unit: h", "unit: fortnights", "unit", "not 'fortnights'"),
    Wrong("a delay in percent", "features", "unit: h", "unit: percent", "unit", "days for latency; not 'percent'"),
    Wrong("a misspelt objective", "features", "property: latency", "property: latancy", "property: latancy", "did you mean latency?"),
    Wrong("an entity that is no column", "features", "entity: [customer_id]", "entity: [customer]", "customer]", "did you mean customer_id?"),
    Wrong("a partition that is no column", "features", "partitions: [country]", "partitions: [day]", "day]", "a column of the table"),
    Wrong("a feature without an entity", "features", "            entity: [customer_id]\n", "", "feature:", "required key: 'entity'"),
    Wrong("a feature's own time", "features", "            ttl: 7d\n", "            ttl: 7d\n            timestamp: hour\n", "timestamp: hour", "no such key; known keys are entity, ttl"),
    Wrong("a feature that never holds", "features", "ttl: 7d", "ttl: 0d", "ttl", "more than 0"),
    Wrong("drift of personal data", "features", "column: spent", "column: customer_id", "column: customer_id", "a column without personal data"),
]  # fmt: skip
SQL_CASES = [Wrong(title, "sql", "", text, at, says) for title, text, at, says in SQL]
WRONG = (*YAML, *KEYS, *FIELDS, *SCHEMAS, *MADE_UP, *REFERENCE_DATA, *TABLES, *SQL_CASES)
"""Every case; titles are unique."""


def page() -> str:
    """Return the page that lists them."""
    rows = (
        f"| {one.title} | `{FILES[one.told_in].rpartition('/')[2]}` | {_cell(one.says)} |"
        for one in WRONG
    )
    return _HEAD + "\n".join(rows) + "\n"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("_", "\\_").replace("*", "\\*")


if __name__ == "__main__":
    sys.stdout.write(page())
