"""Engines: where the parts of a run are worked. An engine decides nothing about people.

`engine.py` says what every engine promises, `local.py` works on this machine, `spark.py` on a Spark cluster.
"""
