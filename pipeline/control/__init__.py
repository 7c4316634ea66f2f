"""Control tables: publications and alerts, each row added once."""
