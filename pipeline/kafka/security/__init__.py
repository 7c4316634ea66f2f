"""How clients are let in to a cluster, and what they may do there."""
