"""What the operating system refuses, in words: those of `ageingwell.room`."""

from ageingwell.room import explained, failed_write, publish_error

__all__ = ["explained", "failed_write", "publish_error"]
