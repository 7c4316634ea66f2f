"""Keeping tables fast: snapshots expire, small files become large ones, the ledger survives both."""
