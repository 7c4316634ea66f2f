"""Commands for who deploys Headwater: one part in a process, and what is fetched beforehand."""
