"""What the group sends back: lists read, decided and mended."""
