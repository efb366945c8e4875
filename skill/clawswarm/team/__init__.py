"""A team of agents: its board, its rules, and who is told what happens."""
