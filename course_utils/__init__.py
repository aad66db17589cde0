"""Helpers of the course on supervised fine-tuning: what would distract from a lesson.

Importing this package does nothing else: no seed is set, no library is loaded.
What a lesson teaches stands in its notebook; this package keeps the rest.
"""

__version__ = "0.1.0"
