"""The nightly batch: people worked out shard by shard, then what concerns the group."""
