"""The daemon: one process a home that keeps workers warm behind a local HTTP API, and works on jobs."""
