"""The web as data: pages that are searched for, fetched behind a guard, and turned into text."""
