"""The local directory (Open Referral UK, HSDS 3): read, checked, and matched to what people need."""
