"""What is kept on disk: money, answers. One SQLite file, written in short transactions."""
