"""From records of the past to a model that can be trusted: train, evaluate, recalibrate."""
