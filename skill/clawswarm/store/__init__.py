"""What is kept: money, answers, jobs and boards of teams, in one SQLite file, written in short transactions.

A board that several machines share lies in PostgreSQL; the rest stays on its machine.
"""
