"""One reader of the files that agencies send: text, Parquet, workbooks, JSON; packed or not; in chunks of rows."""
