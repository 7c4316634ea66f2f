"""The building of hours as OpenLineage events: a run a build, an hour and an audit."""
