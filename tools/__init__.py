"""Tools for those who maintain the course; learners need none of them."""
