"""The risk model: a curve for each feature, trees if they help, calibrated on the log-odds and explained exactly."""
