"""The values that every layer shares: tasks, results, events, money."""
