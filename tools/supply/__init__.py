"""What the software is made of: packages, licences, hashes; and whether a hole is known in any of them."""
