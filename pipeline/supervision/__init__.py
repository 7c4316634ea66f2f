"""Who works, for how long, and who may: liveness, lifetimes, locks."""
