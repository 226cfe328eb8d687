"""The audit log: who used the records, when, what for and what came of it, in a chain of lines that shows any change.

::

    with logged(audit_place(out, settings_file), Asked("purge", role="IG lead"), world=world) as use:
        ...                                   # the first line is on the disk: only now is anything shown or written
        use.tell(counts={"nights": 3})        # goes into the second line, which says what came of it

`chain` says what a whole log is, `writing` adds a line and verifies a file, `uses` is what commands call.
"""
