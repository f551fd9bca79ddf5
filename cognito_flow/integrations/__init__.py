"""Adapters for other libraries: HTTP clients, web frameworks, AWS credentials.

Rule of this package: importing it imports nothing else. Import the module of the library that you use.
"""
