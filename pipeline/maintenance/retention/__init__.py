"""Retention of events: hours that the contract keeps no longer are deleted, whole, and accounted for."""
