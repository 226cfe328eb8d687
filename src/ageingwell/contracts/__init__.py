"""What each agency promises to send, and what our own tables hold: one class a table, one line a column."""
