"""Write, audit, publish: hours staged where no reader sees them, and published whole."""
