"""What ageingwell costs and how good it is, measured. Each benchmark is a command; `scale` runs those of speed in one.

python -m benchmarks.scale              a quick look, in minutes
python -m benchmarks.scale --full       every part at full size, for the record
python -m benchmarks.profile DATA       where the time of one night goes
"""
