"""Who works, for how long, and who may: liveness, restarts, heartbeats, lifetimes, locks."""
