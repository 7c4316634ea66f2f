"""Code servers: one a location of the workspace, current with its contracts."""
