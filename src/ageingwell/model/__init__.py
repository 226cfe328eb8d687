"""The risk model: a curve for each feature, then shallow trees, calibrated on the log-odds and explained exactly."""
