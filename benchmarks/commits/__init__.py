"""What thousands of commits do to the latency of the next one."""
