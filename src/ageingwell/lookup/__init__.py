"""Exact SHAP values of boosted trees, by looking them up: cheaper than a prediction."""
