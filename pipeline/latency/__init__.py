"""Hours against their latency objectives."""
