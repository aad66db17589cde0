"""Stands in for the module of Colab's runtime: libraries look whether it is loaded.

The course uses nothing of it, so it is empty: a lesson that asked it for more would fail.
"""
