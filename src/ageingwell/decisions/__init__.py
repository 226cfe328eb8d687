"""What the group decided: a filled list is read, each row is judged, and what is accepted is kept in a ledger for good.

A file comes back from Excel, LibreOffice or a text editor: sorted, filtered, with more columns than it left with. Rows
are found by their keys, columns by their headings, and what the group may not change is compared with what was sent.
"""
