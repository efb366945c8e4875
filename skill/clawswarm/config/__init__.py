"""Where things live, what can be set, where each value came from, and where keys are found."""
