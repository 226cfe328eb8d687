"""The pages and workbooks that people read: each a pure function from plain values to bytes."""
