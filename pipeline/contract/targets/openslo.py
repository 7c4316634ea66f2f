"""The objectives of a product as OpenSLO v1 documents."""

from __future__ import annotations

from typing import Any

from pipeline.contract.model import Product, Slo

API_VERSION = "openslo/v1"
RATIO_UNITS = ("percent", "%")
SECONDS = {
    "ms": 0.001,
    "s": 1.0,
    "second": 1.0,
    "seconds": 1.0,
    "m": 60.0,
    "minute": 60.0,
    "minutes": 60.0,
    "h": 3_600.0,
    "hour": 3_600.0,
    "hours": 3_600.0,
    "d": 86_400.0,
    "day": 86_400.0,
    "days": 86_400.0,
}
"""ODCS unit of time -> seconds."""
UNITS = (*RATIO_UNITS, *SECONDS)
"""Every unit that an objective may be stated in."""


def documents(product: Product) -> tuple[dict[str, Any], ...]:
    """Return a Service, then one SLO for each objective. Times and windows are in seconds or days.

    The indicators name the metric `headwater_<property>`, labelled with product and element; who
    measures it is for the reader of the documents to say.
    """
    service = {
        "apiVersion": API_VERSION,
        "kind": "Service",
        "metadata": {"name": _name(product.name), "displayName": product.name},
        "spec": {"description": product.description},
    }
    return (service, *(_slo(product, slo) for slo in product.slos))


def _slo(product: Product, slo: Slo) -> dict[str, Any]:
    element = slo.element or product.name
    name = _name(f"{element}-{slo.property}")
    objective: dict[str, Any] = {"displayName": slo.description or name, "target": slo.target}
    if slo.unit in RATIO_UNITS:
        objective |= {"op": "gte", "value": round(slo.value / 100, 12)}
    else:
        objective |= {"op": "lte", "value": slo.value * SECONDS[slo.unit]}
    query = f'headwater_{slo.property}{{product="{product.name}",element="{element}"}}'
    return {
        "apiVersion": API_VERSION,
        "kind": "SLO",
        "metadata": {"name": name, "displayName": f"{element}: {slo.property}"},
        "spec": {
            "description": slo.description,
            "service": _name(product.name),
            "indicator": {
                "metadata": {"name": f"{name}-indicator"},
                "spec": {
                    "thresholdMetric": {
                        "metricSource": {"type": "headwater", "spec": {"query": query}}
                    }
                },
            },
            "timeWindow": [{"duration": _duration(slo.window_s), "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [objective],
        },
    }


def _duration(seconds: float) -> str:
    minutes = max(1, round(seconds / 60))
    for unit, size in (("d", 1_440), ("h", 60)):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"


def _name(text: str) -> str:
    # OpenSLO takes RFC 1123 names.
    return text.replace("_", "-").lower()
