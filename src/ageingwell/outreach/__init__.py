"""From risks and needs to doors: who is eligible, what they need, in which order, and who knocks."""
