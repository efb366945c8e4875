"""What Swarm does with the engine: one module a mode."""
