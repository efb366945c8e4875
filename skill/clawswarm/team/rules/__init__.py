"""The rules of a team. Each takes facts and returns a decision with its reason; none reads or writes."""
