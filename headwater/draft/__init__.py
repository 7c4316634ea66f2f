"""Contracts drafted from what a topic, a registry or a file holds. A person decides what is a guess."""
