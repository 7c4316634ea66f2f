"""When an hour is closed, by proof."""
